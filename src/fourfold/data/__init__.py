"""Data sources: what the model learns from. One source a file."""

from fourfold.core.registry import Entry, Table

DATA = Table(
    "data",
    {
        "digits": Entry(
            "fourfold.data.digits:DigitsConfig", "1,797 handwritten digits, 8x8 grey; comes with scikit-learn"
        ),
        "iris": Entry(
            "fourfold.data.iris:IrisConfig", "150 flowers of 3 species, 4 measurements; comes with scikit-learn"
        ),
        "wine": Entry("fourfold.data.wine:WineConfig", "178 wines of 3 growers, 13 measurements; with scikit-learn"),
        "breast_cancer": Entry(
            "fourfold.data.breast_cancer:BreastCancerConfig", "569 tumours, 30 measurements; comes with scikit-learn"
        ),
        "diabetes": Entry(
            "fourfold.data.diabetes:DiabetesConfig", "442 patients, 10 measurements, a number to predict; scikit-learn"
        ),
        "gates": Entry("fourfold.data.gates:GatesConfig", "the truth table of AND, OR or XOR"),
        "two_moons": Entry("fourfold.data.two_moons:TwoMoonsConfig", "points in the plane: two half circles"),
        "spirals": Entry("fourfold.data.spirals:SpiralsConfig", "points in the plane: spirals, any arms and turns"),
        "rings": Entry("fourfold.data.rings:RingsConfig", "points in the plane: rings around one centre"),
        "gaussians": Entry(
            "fourfold.data.gaussians:GaussiansConfig", "points in the plane to make more of: 25 Gaussians, or a ring"
        ),
        "curve": Entry("fourfold.data.curve:CurveConfig", "a noisy sine, one number to predict, its noise known"),
        "mnist": Entry("fourfold.data.mnist:MnistConfig", "70,000 handwritten digits, 28x28 grey; fetched once"),
        "mnist_5k": Entry(
            "fourfold.data.mnist_5k:Mnist5kConfig", "the first 500 training pictures of each of MNIST's digits; fetched"
        ),
        "fashion_mnist": Entry(
            "fourfold.data.fashion_mnist:FashionMnistConfig", "70,000 articles of clothing, 28x28 grey; fetched once"
        ),
        "cifar10": Entry(
            "fourfold.data.cifar10:Cifar10Config", "60,000 photographs of 10 classes, 32x32; fetched once"
        ),
        "cifar100": Entry(
            "fourfold.data.cifar100:Cifar100Config", "60,000 photographs of 100 classes, 32x32; fetched once"
        ),
        "emoji": Entry("fourfold.data.emoji:EmojiConfig", "1,911 emoji in colour, of 10 categories; fetched once"),
        "sunspots": Entry(
            "fourfold.data.series.sunspots:SunspotsConfig", "sunspots of 309 years, to be forecast; fetched once"
        ),
        "co2": Entry("fourfold.data.series.co2:Co2Config", "carbon dioxide in the air, 526 months; fetched once"),
        "seattle_temps": Entry(
            "fourfold.data.series.seattle_temps:SeattleTempsConfig", "a year of hourly temperatures; fetched once"
        ),
        "adding": Entry("fourfold.data.series.adding:AddingConfig", "long sequences, the sum of two marked numbers"),
        "copy": Entry("fourfold.data.series.copy:CopyConfig", "symbols to be repeated after a long while"),
        "table": Entry("fourfold.data.table.config:TableConfig", "your own CSV, TSV or Parquet file"),
        "series": Entry("fourfold.data.series.config:SeriesConfig", "your own series, a row for each step of time"),
        "labelled_text": Entry(
            "fourfold.data.labelled_text:LabelledTextConfig", "your own texts of classes: a table, or a folder a class"
        ),
        "tagged_text": Entry("fourfold.data.tagged_text:TaggedTextConfig", "your own tagged words, in CoNLL's form"),
        "sst2": Entry("fourfold.data.sst2:SST2Config", "67,349 phrases of film reviews, bad or good; Hugging Face"),
        "nsmc": Entry("fourfold.data.nsmc:NSMCConfig", "200,000 Korean comments on films; Hugging Face"),
        "conll2003": Entry("fourfold.data.conll2003:CoNLL2003Config", "named entities in news; Hugging Face"),
        "multi30k": Entry("fourfold.data.multi30k:Multi30kConfig", "31,014 captions, English and German; Hugging Face"),
        "wmt14": Entry("fourfold.data.wmt14:WMT14Config", "news, English into German or French; Hugging Face"),
        "pairs": Entry("fourfold.data.pairs:PairsConfig", "your own texts and translations, or pairs with a number"),
        "reviews": Entry("fourfold.data.reviews:ReviewsConfig", "33,530 reviews of films, good or bad; fetched once"),
        "bbc": Entry("fourfold.data.bbc:BBCConfig", "2,225 news articles of 5 topics; fetched once"),
        "ner": Entry("fourfold.data.ner:NERConfig", "2,394 tweets with named entities of 10 types; fetched once"),
        "stsb": Entry("fourfold.data.stsb:STSBConfig", "8,628 pairs of sentences, how alike they are; fetched once"),
        "libreoffice_help": Entry(
            "fourfold.data.libreoffice_help:LibreOfficeHelpConfig",
            "help pages, English into Korean, French or German; fetched once",
        ),
        "masked_text": Entry(
            "fourfold.data.masked_text:MaskedTextConfig",
            "texts with hidden words, to pre-train on; your own, or a source's",
        ),
        "two_views": Entry(
            "fourfold.data.two_views:TwoViewsConfig",
            "two views of each picture of a source, to learn from without labels",
        ),
        "unlabelled_pictures": Entry(
            "fourfold.data.unlabelled_pictures:UnlabelledPicturesConfig", "another source's pictures, to make more of"
        ),
        "image_folder": Entry("fourfold.data.image_folder:ImageFolderConfig", "your own pictures, a folder a class"),
        "shakespeare": Entry("fourfold.data.text.shakespeare:ShakespeareConfig", "42 works as running text; fetched"),
        "brown": Entry("fourfold.data.text.brown:BrownConfig", "500 texts of American English, 1961; fetched once"),
        "text": Entry("fourfold.data.text.own_text:TextConfig", "your own running text, a file or a folder of files"),
        "wikitext": Entry("fourfold.data.text.wikitext:WikitextConfig", "articles of Wikipedia; fetched, or your copy"),
        "gym": Entry("fourfold.data.control.gym:GymConfig", "an environment to act in: CartPole and others; Gymnasium"),
        "minatar": Entry("fourfold.data.control.minatar:MinAtarConfig", "five games on a board of 10x10; minatar"),
        "atari": Entry("fourfold.data.control.atari:AtariConfig", "Atari's games as small grey frames; ale-py"),
        "imagenet": Entry("fourfold.data.imagenet:ImageNetConfig", "1.3 million photographs, from a copy of your own"),
    },
)
