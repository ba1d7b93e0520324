"""What happened to an image, as a page: the execution report.

The data model is pure: `definition` reads the state machine, `vocabulary` and `history` turn the
events of an execution into states, attempts and times, `cost` prices them. `layout` places the
graph, `pages` writes the HTML; `collect` alone talks to AWS.
"""
