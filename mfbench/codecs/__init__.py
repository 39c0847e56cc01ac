"""Codecs: media arrays to latents [batch, chunks, tokens, channels] and back, one modality each."""
