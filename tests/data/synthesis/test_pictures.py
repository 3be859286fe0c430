"""Pictures without labels: the source's own pixels, full batches, the network that scores, and what it says."""

from pathlib import Path

import pytest
import torch
from pictures import folder

from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.data.synthesis import classifier
from fourfold.data.synthesis.frechet import frechet_distance, moments
from fourfold.data.synthesis.manifolds import precision_and_recall
from fourfold.data.synthesis.pictures import PicturesToMake
from fourfold.models import DCGAN
from fourfold.tasks.seam import Order


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def source(cache: Path, seed: int = 0, **fields) -> PicturesToMake:
    of = {"name": "digits", **fields.pop("of", {})}
    return DATA.parse({"name": "unlabelled_pictures", "of": of, "scored": 100, **fields}, "data").build(seed, cache)


def network() -> DCGAN:
    torch.manual_seed(0)
    return DCGAN(channels=1, side=8, base=4, latent=5, width=4).eval()


def test_the_pixels_are_the_sources_own_between_minus_one_and_one(cache) -> None:
    ours, theirs = source(cache), DATA.parse("digits", "data").build(0, cache)
    for split in ("train", "validation", "test"):
        pixels = theirs.raw(split, list(range(theirs.sizes[split])))
        assert torch.equal(ours.raw(split, list(range(ours.sizes[split]))), pixels)
        given = torch.cat([batch.inputs[0] for batch in ours.split(split, 200)])
        torch.testing.assert_close(given, pixels.float() / 8 - 1)  # digits have pixels from 0 to 16
    assert float(given.min()) == -1
    assert ours.sizes == theirs.sizes


def test_every_batch_is_full_and_every_picture_comes_once_in_each_permutation(cache) -> None:
    stream = source(cache).train(Order(4, 100))
    count = len(stream._rows)
    assert count % 100
    order = torch.cat([stream.members(step) for step in range(-(-2 * count // 100))])
    assert sorted(order[:count].tolist()) == sorted(order[count : 2 * count].tolist()) == list(range(count))
    assert not torch.equal(order[:count], order[count : 2 * count])
    assert all(len(next(stream).inputs[0]) == 100 for _ in range(20))


@pytest.mark.promise("R1")
@pytest.mark.promise("R13")
def test_a_step_gives_the_same_pictures_however_it_is_reached_and_however_many_share_it(cache) -> None:
    augment = ["horizontal_flip"]
    played = source(cache, augment=augment).train(Order(3, 500))
    for step in range(4):  # the third batch holds the end of one permutation and the beginning of the next
        batch = next(played).inputs[0]
        shares = []
        for rank in range(3):
            sought = source(cache, augment=augment).train(Order(3, 500, rank, 3))
            sought.seek(step)
            shares.append(next(sought).inputs[0])
        assert torch.equal(torch.cat(shares), batch)


def test_scores_are_those_of_the_features_and_of_whole_pixels(cache) -> None:
    data, model = source(cache), network()
    scores = data.evaluate(model, "test")
    assert scores == data.evaluate(model, "test")
    chosen = data.raw("test", (torch.arange(100) * data.sizes["test"] // 100).tolist())
    with torch.no_grad():
        from fourfold.core.seeds import stream_seed

        draws = torch.Generator().manual_seed(stream_seed(0, "generation", 2))
        made = model.generator(model.latents(100, draws))
        pixels = ((made + 1) * 8).round()
        given, features = (data.judge.features(part.float() / 8 - 1) for part in (chosen, pixels))
    assert scores["frechet_distance"] == pytest.approx(frechet_distance(moments(given), moments(features)), rel=1e-5)
    assert (scores["precision"], scores["recall"]) == precision_and_recall(given, features)
    right = (model.discriminator(chosen.float() / 8 - 1) > 0).sum() + (model.discriminator(made) < 0).sum()
    assert scores["discriminator_accuracy"] == float(right) / 200


def test_pictures_like_the_given_ones_are_nearer_than_noise(cache) -> None:
    data = source(cache)
    given, other = (
        data.judge.features(torch.cat([batch.inputs[0] for batch in data.split(split, 500)]))
        for split in ("test", "validation")
    )
    noise = data.judge.features(torch.rand(200, 1, 8, 8) * 2 - 1)
    near, far = (frechet_distance(moments(given), moments(each)) for each in (other, noise))
    assert near < 0.1 * far
    assert precision_and_recall(given, other)[0] > 0.5


def test_the_network_that_scores_is_trained_once(cache, monkeypatch) -> None:
    source(cache)
    trained = []
    monkeypatch.setattr(classifier, "train", lambda *_: trained.append(1))
    for fields in ({}, {"augment": ["horizontal_flip"]}, {"of": {"split_seed": None}}, {"of": {"bootstrap": True}}):
        source(cache, seed=5, **fields)
    assert trained == []
    (file,) = (cache / "judges").glob("*.safetensors")
    whole = file.read_bytes()
    file.write_bytes(whole[:-9])
    source(cache)
    assert trained == [1]
    file.write_bytes(whole)


def test_it_tells_the_classes_and_says_what_it_is(cache) -> None:
    data = source(cache)
    (note,) = [note for note in data.notes if note.startswith("features")]
    assert "64 numbers of a network trained here to tell the 10 classes of digits (" in note
    assert float(note.split("(")[1].split(" %")[0]) > 90
    assert "not those of Inception" in note


@pytest.mark.promise("R12")
def test_training_it_draws_on_no_stream_of_the_runs(tmp_path) -> None:
    torch.manual_seed(3)
    state = torch.get_rng_state()
    first = source(tmp_path / "a").judge.words
    assert torch.equal(torch.get_rng_state(), state)
    assert source(tmp_path / "b", seed=9).judge.words == first


def test_pictures_of_no_class_are_scored_by_averages(tmp_path, cache) -> None:
    of = {"name": "image_folder", "path": str(folder(tmp_path / "photos", {"a": 30})), "size": 16, "labelled": False}
    data = source(cache, of=of)
    assert data.spec.input == (3, 16, 16) or data.spec.input == (1, 16, 16)
    given = next(iter(data.split("train", 5))).inputs[0]
    blocks = given.unflatten(3, (8, 2)).unflatten(2, (8, 2)).mean((3, 5))
    torch.testing.assert_close(data.judge.features(given), blocks.flatten(1))
    assert any("averages over 8x8 areas" in note for note in data.notes)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"of": "iris"}, "data.of: iris gives rows of 4 numbers; pictures that memory holds are needed"),
        (
            {"of": {"name": "digits", "augment": ["horizontal_flip"]}},
            r"data\.of\.augment: give the changes as data\.augment",
        ),
        ({"of": "digits", "inception": "/nowhere.pth"}, r"data\.inception: /nowhere\.pth: no such file"),
        ({"of": "digts"}, r"no data called 'digts'.*did you mean 'digits'"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(fields, says, cache) -> None:
    with pytest.raises(InputError, match=says):
        DATA.parse({"name": "unlabelled_pictures", **fields}, "data").build(0, cache)


def test_a_file_of_something_else_is_no_inception(tmp_path, cache) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="not weights of torchvision's inception_v3") as error:
        source(cache, inception=str(tmp_path / "other.pth"))
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_inceptions_features_are_those_before_its_last_layer(tmp_path, cache) -> None:
    from torchvision.models import inception_v3

    torch.manual_seed(0)
    network = inception_v3(weights=None, init_weights=False).eval()
    torch.save(network.state_dict(), tmp_path / "inception.pth")
    data = source(cache, inception=str(tmp_path / "inception.pth"))
    given = next(iter(data.split("test", 2))).inputs[0]
    heard = []
    network.fc.register_forward_hook(lambda _module, inputs, _output: heard.append(inputs[0]))
    colour = given.expand(-1, 3, -1, -1)
    sized = torch.nn.functional.interpolate(colour, size=(299, 299), mode="bilinear", antialias=True)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        network(((sized / 2 + 0.5) - mean.view(3, 1, 1)) / deviation.view(3, 1, 1))
    torch.testing.assert_close(data.judge.features(given), heard[0])
