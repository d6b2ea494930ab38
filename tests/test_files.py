"""Files written under stress: an old file whole or a new one whole."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import threading

import pytest

import attrition as at
from attrition import storage
from small_fits import script, small

log = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return small().save(tmp_path_factory.mktemp("small") / "fit.nc").read_bytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fit.nc"


def parts(folder):
    return [entry.name for entry in folder.iterdir() if entry.name.endswith(".part")]


KILLED = """
folder = Path(sys.argv[1])
path, before = folder / "fit.nc", folder / "whole.nc"
whole = [fit.save(before).read_bytes() for fit in fits]
for fit in fits:
    assert fit.save(before).read_bytes() == whole[fit.seed]  # the same fit, the same bytes
start = time.perf_counter()
fits[0].save(path)
usual = time.perf_counter() - start
rng = random.Random(5)
def begun(folder):
    try:
        return any(part.stat().st_size for part in folder.glob(".*.part"))
    except FileNotFoundError:
        return True  # already in its place
killed = new = left = torn = last = 0
for turn in range(200):
    number = turn % 3
    child = os.fork()
    if child == 0:
        fits[number].save(path)
        os._exit(0)
    if turn % 2:  # at a moment of the write itself
        while not begun(folder):
            if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                break
        time.sleep(rng.random() * rng.choice((0.0, 0.001, 0.01)))
    else:  # at any moment of the whole
        time.sleep(rng.random() * 1.2 * usual)
    os.kill(child, signal.SIGKILL)
    killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    content = path.read_bytes()
    assert content in (whole[number], whole[last]), turn
    if content == whole[number]:
        new += 1
        last = number
    for part in folder.glob(".*.part"):
        left += 1
        torn += part.stat().st_size > 0
        part.unlink()
assert at.load(path).seed == last
fits[1].save(path)
assert path.read_bytes() == whole[1]
print(killed, new, left, torn)
"""


def test_a_kill_at_any_moment_leaves_the_old_file_or_the_new_one(tmp_path):
    killed, new, left, torn = map(int, script(KILLED, tmp_path))
    log.info("200 writes: %d killed, %d new, %d parts left behind, %d of them begun", killed, new, left, torn)
    assert killed > 50
    assert 5 < new < 195
    assert 10 < torn <= left <= killed


FULL = """
folder = Path(sys.argv[1])
path = folder / "fit.nc"
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for limit in map(int, sys.argv[2:]):
    path.write_bytes(b"old")
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        fits[0].save(path)
    except OSError as error:
        assert "could not be written, and is as it was before" in str(error), error
    else:
        raise SystemExit("it was saved")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert path.read_bytes() == b"old"
    fits[1].save(path)
    print(at.load(path).seed, len(list(folder.glob(".*"))))
"""


def test_a_file_that_may_not_grow_leaves_the_old_one(tmp_path, saved):
    limits = (0, 2000, 60_000, len(saved) - 1)
    assert script(FULL, tmp_path, *limits) == ["1", "0"] * len(limits)


@pytest.fixture
def little_disk(tmp_path):
    """A file system of 300 kB, where one may be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(place)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount command here")
    if done.returncode:
        pytest.skip(f"no file system may be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_leaves_the_old_file(little_disk, saved):
    path = little_disk / "fit.nc"
    small().save(path)
    for filled in range(0, 300, 20):  # from room enough to none
        rest = os.statvfs(little_disk)
        (little_disk / f"fill{filled}").write_bytes(b"x" * min(20_000, rest.f_bavail * rest.f_frsize))
        with contextlib.suppress(OSError):
            small(2).save(path)
        assert at.load(path).seed in (1, 2)
        assert parts(little_disk) == []
    small_size = sum(entry.stat().st_size for entry in little_disk.iterdir())
    assert small_size > 250_000
    with pytest.raises(OSError, match="as it was before"):
        small(3).save(path)
    assert at.load(path).seed in (1, 2)


def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path, saved):
    folder = tmp_path / "closed"
    folder.mkdir()
    path = folder / "fit.nc"
    path.write_bytes(saved)
    folder.chmod(0o555)
    flagged = False
    if os.geteuid() == 0:  # to whom modes do not apply
        try:
            flagged = subprocess.run(["chattr", "+i", folder], capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            flagged = False
        if not flagged:
            pytest.skip("root may write to any folder, and this file system has no immutable ones")
    try:
        with pytest.raises(OSError, match="as it was before"):
            small(2).save(path)
        assert path.read_bytes() == saved
        assert at.load(path).seed == 1
        assert os.listdir(folder) == ["fit.nc"]
    finally:
        if flagged:
            subprocess.run(["chattr", "-i", folder], check=True)
        folder.chmod(0o755)


def test_places_where_no_file_can_be_are_named(tmp_path, path):
    path.mkdir()
    (tmp_path / "taken").write_text("a file")
    for place, words in ((path, "is a folder"), (tmp_path / "taken" / "fit.nc", "as it was before")):
        with pytest.raises(OSError, match=words) as caught:
            small().save(place)
        assert str(place) in str(caught.value)
    assert (tmp_path / "taken").read_text() == "a file"
    assert parts(tmp_path) == []


WRITERS = """
folder = Path(sys.argv[1])
path = folder / "fit.nc"
whole = [fit.save(path).read_bytes() for fit in fits]
children = []
for turn in range(20):
    child = os.fork()
    if child == 0:
        for again in range(2):
            fits[(turn + again) % 3].save(path)
        os._exit(0)
    children.append(child)
seen = 0
while children:
    assert path.read_bytes() in whole
    seen += 1
    time.sleep(0.002)
    done, status = os.waitpid(-1, os.WNOHANG)
    if done:
        assert status == 0
        children.remove(done)
assert path.read_bytes() in whole
print(seen, len(list(folder.iterdir())))
"""


def test_twenty_writers_at_once_leave_one_whole_file(tmp_path):
    seen, files = map(int, script(WRITERS, tmp_path))
    assert seen > 20
    assert files == 1


def test_twenty_threads_leave_one_whole_file_and_the_mask(tmp_path):
    path = tmp_path / "table.csv"
    before = os.umask(0o027)
    try:
        texts = [f"{number}\n" * 5000 for number in range(20)]
        write = [lambda part, text=text: part.write_text(text) and None for text in texts]
        threads = [threading.Thread(target=storage.write_whole, args=(path, one)) for one in write]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert path.read_text() in texts
        assert path.stat().st_mode & 0o777 == 0o640
        assert os.listdir(tmp_path) == ["table.csv"]
    finally:
        assert os.umask(before) == 0o027


def test_a_name_as_long_as_may_be_is_written(tmp_path):
    path = storage.write_whole(tmp_path / ("n" * 251 + ".csv"), lambda part: part.write_text("a") and None)
    assert path.read_text() == "a"
