"""Universal approximation in numbers and pictures: how few units are proved to suffice, how few to be needed; leaves a
folder with five figures and an animation. `python examples/14_universal_approximation.py [FOLDER]`"""

import os
import sys
from pathlib import Path

import backprop
from backprop.approximation.ground.wording import describe_above
from backprop.approximation.survey import survey_relu_widths
from backprop.progress import show_stages
from backprop.reporting.gallery import FULL, QUICK, draw_approximation_figures

SIZE, EPSILON = (QUICK, 1e-2) if os.environ.get("QUICK") else (FULL, 1e-3)
folder = Path(sys.argv[1] if len(sys.argv) > 1 else "universal-approximation")

print("target      epsilon  tanh units  proved error  relu units  proved error  least of any relu network")
for name in SIZE.relu_targets:
    tanh = backprop.approximate(name, epsilon=EPSILON, certify=True)
    (target,) = survey_relu_widths([name], [EPSILON])
    (relu,) = target.widths
    assert tanh.certified
    assert relu.upper is not None
    print(
        f"{name:<12}{EPSILON:<9g}{tanh.width:<12}{describe_above(tanh.certificate.bound):<14}"
        f"{relu.upper:<12}{describe_above(relu.bound):<14}{relu.lower}"
    )

with show_stages(plain=False) as stages:
    for file in draw_approximation_figures(folder, SIZE, stages):
        print(file)
