"""Which Python packages carry the series, at which versions; one file of each is read, and nothing in them is run.

statsmodels has a wheel for each kind of machine, so there is no one digest of it; the file that is read has one, which
is checked. Its source would have to be prepared by its own code, so only wheels are taken.
"""

STATSMODELS = "statsmodels==0.14.6\n--only-binary=statsmodels"
VEGA_DATASETS = "vega-datasets==0.9.0 --hash=sha256:3d7c63917be6ca9b154b565f4779a31fedce57b01b5b9d99d8a34a7608062a1d"
