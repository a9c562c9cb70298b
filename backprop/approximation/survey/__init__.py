"""Surveys of approximations: what the figures show, as numbers."""

from backprop.approximation.survey.by_width import WidthCurve, survey_widths
from backprop.approximation.survey.growth import grow_step_by_step
from backprop.approximation.survey.relu_widths import ReluTarget, ReluWidth, survey_relu_widths
from backprop.approximation.survey.series import Series, SeriesSurvey, survey_series
from backprop.approximation.survey.two_limits import TwoLimits, survey_limits

__all__ = [
    "ReluTarget",
    "ReluWidth",
    "Series",
    "SeriesSurvey",
    "TwoLimits",
    "WidthCurve",
    "grow_step_by_step",
    "survey_limits",
    "survey_relu_widths",
    "survey_series",
    "survey_widths",
]
