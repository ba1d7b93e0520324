"""What a million images cost on AWS: this pipeline compared with the article's design.

    image-converter cost
    image-converter cost --execution arn:aws:states:...

Quantities come from one execution, prices from a table that names its sources.
"""
