"""The page's CSS: one column of text, tables that scroll in their own box, figures in a fluid grid."""

CSS = """\
:root { color-scheme: light; --ink: #1f2430; --muted: #667085; --line: #e4e7ec; --soft: #f6f7f9;
  --accent: #0b5cad; --tint: #fff3d6; --warn: #fff4e5; --warn-line: #e69f00; }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body { margin: 0; color: var(--ink); background: #fff;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header, main { max-width: 1560px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 36px; }
h1 { font-size: clamp(1.6rem, 4.5vw, 2.3rem); line-height: 1.15; margin: 0 0 10px; letter-spacing: -.015em; }
h2 { font-size: 1.35rem; line-height: 1.25; margin: 0 0 10px; letter-spacing: -.01em; }
h3 { font-size: 1rem; margin: 0 0 8px; }
p, ul { max-width: 76ch; margin: 0 0 12px; }
ul { padding-left: 20px; }
li { margin: 3px 0; }
.lede { font-size: 1.1rem; color: #384152; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 1px; margin: 20px 0;
  background: var(--line); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.facts div { background: #fff; padding: 10px 14px; }
dt { font-size: .78rem; color: var(--muted); }
dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
nav { position: sticky; top: 0; z-index: 5; display: flex; gap: 4px 16px; overflow-x: auto;
  white-space: nowrap;
  background: rgba(255, 255, 255, .96); border-bottom: 1px solid var(--line);
  padding: 10px max(20px, calc((100vw - 1520px) / 2)); scrollbar-width: none; }
nav a { color: var(--muted); text-decoration: none; font-size: .84rem; }
nav a:hover, nav a:focus { color: var(--accent); }
section { padding: 30px 0 10px; scroll-margin-top: 36px; }
section + section { border-top: 1px solid var(--line); }
code, pre { font: .88em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { background: var(--soft); padding: 1px 5px; border-radius: 4px; overflow-wrap: anywhere; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px;
  overflow-x: auto; margin: 0 0 14px; }
pre code { background: none; padding: 0; overflow-wrap: normal; }
.note { color: var(--muted); background: var(--soft); border-left: 3px solid #c4c9d1; padding: 8px 14px;
  border-radius: 0 6px 6px 0; }
.warning { color: #6b4300; background: var(--warn); border-color: var(--warn-line); }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 10px; margin: 0 0 16px;
  max-width: 100%; width: fit-content; }
table { border-collapse: separate; border-spacing: 0; font-size: .875rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: 6px 12px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line);
  vertical-align: top; font-weight: 400; }
thead th { vertical-align: bottom; font-weight: 600; background: var(--soft); }
th small, td small { display: block; font-size: .76rem; font-weight: 400; color: var(--muted);
  line-height: 1.3; }
th.text, td.text { text-align: left; }
tbody th[scope=row], thead th:first-child { text-align: left; position: sticky; left: 0; background: #fff;
  z-index: 1; border-right: 1px solid var(--line); }
thead th:first-child { background: var(--soft); z-index: 2; }
tr:hover td, tr:hover th[scope=row] { background: #fafbfc; }
tr.group th { text-align: left; font-weight: 600; background: var(--soft); color: #384152;
  padding: 5px 12px; }
tr.group th span { position: sticky; left: 12px; }
tbody:last-child tr:last-child > * { border-bottom: 0; }
td.best { font-weight: 700; }
td.top, tr:hover td.top { background: var(--tint); }
.dot { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 7px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: .87rem; max-width: none;
  margin: 0 0 10px; }
.legend span { display: inline-flex; align-items: center; gap: 6px; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 14px;
  margin: 0 0 16px; }
img.figure { width: 100%; max-width: 480px; height: auto; padding: 6px; background: #fff;
  border: 1px solid var(--line); border-radius: 10px; }
img.large { max-width: 680px; grid-column: 1 / -1; }
#gallery { display: grid; gap: 14px 28px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 520px), 1fr)); }
#gallery > :not(.cell) { grid-column: 1 / -1; margin: 0; }
.clips { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 14px;
  max-width: 640px; }
figure { margin: 0; }
figure video, figure img { width: 100%; border-radius: 8px; background: #eef0f3; display: block; }
figure video { aspect-ratio: 3 / 4; object-fit: contain; object-position: top; }
figure audio { width: 100%; }
figcaption { font-size: .8rem; color: var(--muted); line-height: 1.35; margin-top: 5px; }
figcaption b { color: var(--ink); }
details { border: 1px solid var(--line); border-radius: 10px; padding: 0 14px; margin: 0 0 14px; }
details[open] { padding-bottom: 4px; }
summary { cursor: pointer; padding: 10px 0; font-weight: 600; font-size: .95rem; }
@media (max-width: 560px) {
  body { font-size: 15px; }
  header, main { padding-left: 16px; padding-right: 16px; }
  header { padding-top: 22px; }
  nav { padding-left: 16px; padding-right: 16px; }
  th, td { padding: 5px 8px; }
  .clips { display: flex; overflow-x: auto; gap: 10px; }
  .clips figure { flex: 0 0 44%; }
  tbody th[scope=row], thead th:first-child { min-width: 32vw; max-width: 36vw;
    white-space: normal; overflow-wrap: break-word; }
}
@media print { nav { display: none; } .scroll { overflow: visible; } }
"""
