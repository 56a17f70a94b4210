"""Trains the smallest YOLO of ultralytics from its YAML on images that it makes itself: argument is a folder for all of it."""

import sys
from pathlib import Path

import numpy
import torch
from PIL import Image

if (
    torch.version.cuda is None
):  # torchvision's wheel on PyPI is for CUDA: beside a torch without it, its operators are missing
    operators = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    operators.impl("nms", lambda dets, scores, iou_threshold: scores.argsort(descending=True), "CPU")
    import torchvision

    torchvision.extension._has_ops = lambda: True

from ultralytics import YOLO

IMAGES = 16

folder = Path(sys.argv[1])
chance = numpy.random.default_rng(1)
for kind in ("images", "labels"):
    (folder / kind).mkdir(parents=True)
for number in range(IMAGES):
    picture = chance.integers(0, 255, (64, 64, 3), dtype=numpy.uint8)
    Image.fromarray(picture).save(folder / "images" / f"{number}.png")
    (folder / "labels" / f"{number}.txt").write_text(f"{number % 2} 0.5 0.5 0.4 0.4\n")
(folder / "data.yaml").write_text(f"path: {folder}\ntrain: images\nval: images\nnames: {{0: square, 1: circle}}\n")
YOLO("yolov8n.yaml").train(
    data=str(folder / "data.yaml"),
    epochs=14,
    imgsz=64,
    batch=8,
    workers=0,
    project=str(folder),
    plots=False,
    amp=False,
    verbose=False,
)
