"""What a trained network sees and makes of pictures: tensors in, tensors out; drawn by `report.views`."""
