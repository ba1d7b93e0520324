"""What a million images cost on AWS: this pipeline compared with the article's design.

    make cost
    make cost EXECUTION=arn:aws:states:...

Quantities come from one execution, prices from a table that names its sources.
"""
