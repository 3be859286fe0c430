"""Text as data: tokenizers, windows and rows of tokens, and what encodes new texts as training did."""
