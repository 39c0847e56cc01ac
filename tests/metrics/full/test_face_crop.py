from __future__ import annotations

import cv2
import numpy as np
import pytest
from full_world import pictures

from mfbench.metrics.full.face_crop import centre_squares, face_square, longest_track, mouth_crops

BOX = np.array([60.0, 50.0, 100.0, 90.0])


def test_a_crop_is_the_published_square_around_the_box():
    frames = pictures(20, 200, 220)
    found = mouth_crops(frames, np.tile(BOX, (20, 1)), 224)
    # half a box up, 1.8 halves down, 1.4 halves to the sides of the centre (80, 70)
    cut = frames[10, 50:106, 52:108]
    np.testing.assert_array_equal(found[10], cv2.resize(cut, (224, 224)))
    assert found.shape == (20, 224, 224, 3)


def test_outside_the_picture_is_grey():
    frames = np.zeros((20, 100, 100, 3), np.uint8)
    found = mouth_crops(frames, np.tile([60.0, 60.0, 100.0, 100.0], (20, 1)), 224)
    assert (found[10, -1] == 110).all()
    assert (found[10, 0, 0] == 0).all()
    with pytest.raises(ValueError, match="lies outside"):
        mouth_crops(frames, np.tile([400.0, 400.0, 440.0, 440.0], (20, 1)), 224)


def test_boxes_are_smoothed_by_a_median():
    frames = pictures(30, 200, 220)
    boxes = np.tile(BOX, (30, 1))
    jumping = boxes.copy()
    jumping[15] += 30
    np.testing.assert_array_equal(mouth_crops(frames, jumping, 64)[15], mouth_crops(frames, boxes, 64)[15])


@pytest.mark.parametrize("count", [1, 2, 3, 12])
def test_short_tracks_can_be_cropped(count):
    assert mouth_crops(pictures(count, 200, 220), np.tile(BOX, (count, 1)), 32).shape[0] == count


def test_gaps_are_bridged_by_a_line_up_to_25_frames():
    faces = np.full((100, 4), np.nan, np.float32)
    faces[10:20], faces[40:60] = 10, 30
    track = longest_track(faces)
    assert track is not None
    assert (track.start, track.stop) == (10, 60)
    assert track.boxes[19 - 10 + 7, 0] == pytest.approx(10 + 20 * 7 / 21)
    faces[40:46] = np.nan  # the gap is 26 frames now
    track = longest_track(faces)
    assert track is not None
    assert (track.start, track.stop) == (46, 60)


def test_no_face_is_no_track():
    assert longest_track(np.full((5, 4), np.nan, np.float32)) is None


def test_centre_squares():
    frames = pictures(2, 30, 50)
    np.testing.assert_array_equal(centre_squares(frames, 30), frames[:, :, 10:40])
    np.testing.assert_array_equal(centre_squares(frames, 8)[1], cv2.resize(frames[1, :, 10:40], (8, 8)))


def test_the_square_around_a_face():
    frame = pictures(1, 100, 120)[0]
    found = face_square(frame, np.array([20, 30, 60, 90]), 60)
    np.testing.assert_array_equal(found, frame[30:90, 10:70])
    beyond = face_square(frame, np.array([90, 30, 150, 90]), 60)
    np.testing.assert_array_equal(beyond[:, :30], frame[30:90, 90:])
    assert (beyond[:, 30:] == 0).all()
    with pytest.raises(ValueError, match="with a size"):
        face_square(frame, np.array([20, 30, 20, 90]), 60)
