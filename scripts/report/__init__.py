"""What happened to an image, as a page: the execution report.

`layout` places the graph of the state machine, `graph` and `timeline` say what is drawn, `cost` is
the bill, and `pages` writes the HTML.
"""
