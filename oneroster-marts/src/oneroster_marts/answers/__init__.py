"""Answers in metrics, for people who ask in words and for programs that ask by name: never a row, never a person."""
