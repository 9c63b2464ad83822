"""Tables in, Altair charts out; colours come from the app's theme, so light and dark both work.

Every field of a chart is one of our own column names, never a name or text from a trace: Vega
reads field names and expressions as code.
"""
