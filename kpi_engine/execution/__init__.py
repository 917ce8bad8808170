"""Engines, scans and state: leaves run where their data live, DuckDB combines."""
