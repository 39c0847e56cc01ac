"""One module per verb.

The docstring is the help, `configure(parser)` adds the arguments, `execute(arguments)` returns the exit code;
`HIDDEN = True` keeps a verb out of the help. Modules import nothing heavy before `execute`.
"""
