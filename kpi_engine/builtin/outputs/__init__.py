"""The outputs that ship: the terminal, JSON, CSV and a self-contained HTML page."""
