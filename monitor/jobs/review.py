"""Taking verdicts: one, several at once, or a file of them; and what else reviewers do to an alert.

Whatever changes an alert writes its audit row in the same transaction: no row, no act.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b, sha256
from pathlib import Path
from uuid import UUID, uuid5

from sqlalchemy import Connection, Engine

from monitor.review import LONGEST_NOTE, ReviewError, Verdict, checked, checked_text
from monitor.store import audit, discussion, reviewers, reviews
from monitor.store.engine import writing

COLUMNS = ("alert_id", "verdict", "reviewer", "note")

#: A file of verdicts is read whole: it is one transaction. This is a hundred times what people review in a year.
LARGEST_FILE = 64 * 2**20

#: The verdicts of these acts that are stored already: act → alert and reviewer.
Repeated = Mapping[UUID, tuple[UUID, str]]

OTHERS_FORM = "this form was used for something else already; reload the page it was on"

#: How long after a verdict its own undo button works; the alert's page undoes it at any time.
LONGEST_UNDO = timedelta(hours=12)


class ConflictError(ReviewError):
    """Somebody else has judged the alert since the reviewer looked; ``standing`` is how it stands now."""

    def __init__(self, standing: reviews.Standing) -> None:
        super().__init__(f"{standing.reviewer} has judged this alert meanwhile ({standing.verdict})")
        self.standing = standing


def review(
    engine: Engine,
    alert_id: str | UUID,
    verdict: str,
    by: str,
    note: str | None,
    now: datetime,
    reason: str | None = None,
) -> bool:
    """Take one verdict; False when the alert stands so already by the same reviewer. Raises ``ReviewError``."""
    given = checked(Verdict(_alert_id(alert_id), verdict, by, reason, note), now)
    with writing(engine) as connection:
        standing = reviews.lock_alerts(connection, [given.alert_id]).get(given.alert_id)
        return _take(connection, [(given, standing)], {}, now, audit.COMMAND_LINE) == 1


def decide(engine: Engine, given: Verdict, seen: UUID | None, address: str, now: datetime) -> bool:
    """Take one verdict of somebody who saw verdict ``seen`` (None: none) as the latest; False for a repeated form.

    Raises ``ConflictError`` when another verdict was given meanwhile: nothing is overwritten unseen.
    """
    taken, others = decide_all(engine, [given], {given.alert_id: seen}, address, now)
    if others:
        raise ConflictError(others[0])
    return taken == 1


def decide_all(
    engine: Engine, given: Sequence[Verdict], seen: Mapping[UUID, UUID | None], address: str, now: datetime
) -> tuple[int, list[reviews.Standing]]:
    """Take one verdict on each of several alerts, in one transaction.

    Alerts that somebody else judged since ``seen`` (alert → latest verdict) stay as they are. Returns how many
    verdicts were taken, and those alerts.
    """
    verdicts = [checked(one, now) for one in given]
    wanted, others = [], []
    with writing(engine) as connection:
        standing = reviews.lock_alerts(connection, [one.alert_id for one in verdicts])
        repeated = _repeated(connection, verdicts)
        for one in verdicts:
            alert = standing.get(one.alert_id)
            if alert is not None and one.act not in repeated and alert.review_id != seen.get(one.alert_id):
                others.append(alert)
            else:
                wanted.append((one, alert))
        return _take(connection, wanted, repeated, now, address), others


def undo(engine: Engine, act: UUID, by: str, address: str, now: datetime) -> tuple[list[UUID], list[reviews.Standing]]:
    """Take back what ``by`` decided in one act; returns the alerts that are open again, and those that others judged.

    The verdict of an act on several alerts has an id made of both (``part_of``).
    """
    with writing(engine) as connection:
        given = reviews.given_since(connection, by, now - LONGEST_UNDO)
    parts = {alert: verdict for verdict, alert in given.items() if verdict in (act, part_of(act, alert))}
    taken, others = decide_all(engine, [Verdict(alert, "undo", by) for alert in parts], parts, address, now)
    left = {alert.alert_id for alert in others}
    return [alert for alert in parts if alert not in left] if taken else [], others


def part_of(act: UUID, alert_id: UUID) -> UUID:
    """The identity of an act's verdict on one of several alerts."""
    return uuid5(act, alert_id.hex)


def comment(
    engine: Engine, comment_id: UUID, alert_id: UUID, author: str, body: str, address: str, now: datetime
) -> bool:
    """Add a comment; False when it was there before (a form sent twice). Raises ``ReviewError``."""
    said = checked_text(body, "comment", LONGEST_NOTE)
    if said is None:
        raise ReviewError("the comment is empty")
    with writing(engine) as connection:
        if not discussion.alert_exists(connection, alert_id):
            raise ReviewError(f"there is no alert {alert_id}")
        if not discussion.add_comment(connection, comment_id, alert_id, author, said, now):
            if discussion.written(connection, comment_id) != (alert_id, author):
                raise ReviewError(OTHERS_FORM)
            return False
        audit.record(connection, author, "comment", str(alert_id), {"comment": str(comment_id)}, address)
        return True


def assign(engine: Engine, alert_id: UUID, assignee: str | None, by: str, address: str, now: datetime) -> None:
    """Give an alert to a reviewer, or to nobody (None). Raises ``ReviewError``."""
    with writing(engine) as connection:
        if not discussion.alert_exists(connection, alert_id):
            raise ReviewError(f"there is no alert {alert_id}")
        if assignee is not None and assignee not in reviewers.active_names(connection):
            raise ReviewError("an alert can be assigned to a reviewer only")
        discussion.assign(connection, alert_id, assignee, by, now)
        audit.record(connection, by, "assign", str(alert_id), {"assignee": assignee}, address)


@dataclass
class FileReport:
    """What became of the lines of a file of verdicts; ``problems`` are (line, why)."""

    read: int = 0
    taken: int = 0
    repeated: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)


def review_file(engine: Engine, path: Path, now: datetime) -> FileReport:
    """Take every verdict of a CSV file that can be taken, in one transaction; the same file again changes nothing.

    Of several verdicts on one alert the last line counts. A reviewer who contradicts themselves within the file is not
    counted on that alert. Raises ``ReviewError`` for a file that is no such CSV.
    """
    report = FileReport()
    lines = _contradicted(_parsed(path, now, report), report)
    with writing(engine) as connection:
        standing = reviews.lock_alerts(connection, sorted({given.alert_id for _, given in lines}))
        repeated = _repeated(connection, [given for _, given in lines])
        for line, given in lines:
            wanted = [(given, standing.get(given.alert_id))]
            try:
                taken = _take(connection, wanted, repeated, now, audit.COMMAND_LINE)
            except ReviewError as error:
                report.problems.append((line, str(error)))
                continue
            report.taken += taken
            report.repeated += not taken
            if taken:
                standing |= reviews.lock_alerts(connection, [given.alert_id])
    report.problems.sort()
    return report


def _take(
    connection: Connection,
    wanted: Sequence[tuple[Verdict, reviews.Standing | None]],
    repeated: Repeated,
    now: datetime,
    address: str,
) -> int:
    """Store those verdicts that change something, each with its audit row; returns how many. All are one person's."""
    taken = [given for given, standing in wanted if _changes(given, standing, repeated)]
    if taken:
        reviews.add_verdicts(connection, taken, now)
        rows = [(given.verdict, str(given.alert_id), _details(given)) for given in taken]
        audit.record_each(connection, taken[0].reviewer, rows, address)
    return len(taken)


def _repeated(connection: Connection, given: Sequence[Verdict]) -> Repeated:
    return reviews.taken(connection, [one.act for one in given if one.act is not None])


def _changes(given: Verdict, standing: reviews.Standing | None, repeated: Repeated) -> bool:
    """Whether a verdict says anything new; raises ``ReviewError`` when it cannot be said."""
    if standing is None:
        raise ReviewError(f"there is no alert {given.alert_id}")
    if given.act is not None and given.act in repeated:
        if repeated[given.act] != (given.alert_id, given.reviewer):
            raise ReviewError(OTHERS_FORM)
        return False
    if _same(given, standing):
        return False
    if given.verdict == "undo" and standing.status == "open":
        raise ReviewError(f"alert {given.alert_id} has no verdict to undo")
    return True


def _details(given: Verdict) -> dict[str, object]:
    # A digest, since the log is for ever and a note may name somebody who has to be forgotten one day.
    digest = sha256(given.note.encode()).hexdigest() if given.note is not None else None
    details: dict[str, object] = {"reason": given.reason, "note_sha256": digest}
    if given.scope is not None:
        details["scope"] = f"{given.scope.feature} {given.scope.value} until {given.scope.until.isoformat()}"
    return details


def _same(given: Verdict, standing: reviews.Standing) -> bool:
    return given.scope is None and (given.verdict, given.reviewer, given.reason, given.note) == (
        standing.verdict,
        standing.reviewer,
        standing.reason,
        standing.note,
    )


def _parsed(path: Path, now: datetime, report: FileReport) -> list[tuple[int, Verdict]]:
    """The well-formed lines with their numbers; the others are put into the report."""
    found = []
    reader = csv.DictReader(io.StringIO(_read(path), newline=""), restval="")
    try:
        header = [name.strip().lower() for name in reader.fieldnames or []]
        missing = [name for name in COLUMNS[:3] if name not in header]
        if missing:
            raise ReviewError(f"{path}: the header lacks {', '.join(missing)}; expected {','.join(COLUMNS)}")
        reader.fieldnames = header
        for row in reader:
            report.read += 1
            try:
                word = row["verdict"].strip().lower()
                given = Verdict(
                    _alert_id(row["alert_id"].strip()), word, row["reviewer"], row.get("reason"), row.get("note")
                )
                given = checked(given, now)
                found.append((reader.line_num, replace(given, act=_act(given))))
            except ReviewError as error:
                report.problems.append((reader.line_num, str(error)))
    except csv.Error as error:
        raise ReviewError(f"{path}: line {reader.line_num}: {error}") from None
    return found


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ReviewError(f"cannot read {path}: {error.strerror}") from None
    if len(content) > LARGEST_FILE:
        raise ReviewError(f"{path} is larger than {LARGEST_FILE >> 20} MiB")
    if not content.strip():
        raise ReviewError(f"{path} is empty; expected {','.join(COLUMNS)}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReviewError(f"{path} is no UTF-8 text (byte {error.start:,})") from None


def _contradicted(lines: list[tuple[int, Verdict]], report: FileReport) -> list[tuple[int, Verdict]]:
    """Without the verdicts of a reviewer who gives one alert two different words, and without plain repeats."""
    words: dict[tuple[UUID, str], set[str]] = {}
    for _, given in lines:
        words.setdefault((given.alert_id, given.reviewer), set()).add(given.verdict)
    kept: list[tuple[int, Verdict]] = []
    seen: set[Verdict] = set()
    for line, given in lines:
        if len(words[given.alert_id, given.reviewer]) > 1:
            report.problems.append((line, f"{given.reviewer} gives alert {given.alert_id} two different verdicts"))
        elif given in seen:
            report.repeated += 1
        else:
            seen.add(given)
            kept.append((line, given))
    return kept


def _act(given: Verdict) -> UUID:
    """The identity of a verdict from a file: a hash, so that the same line is the same act whenever it is read."""
    words = (str(given.alert_id), given.verdict, given.reviewer, given.reason or "", given.note or "")
    return UUID(bytes=blake2b("\0".join(words).encode(), digest_size=16).digest())


def _alert_id(value: str | UUID) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise ReviewError(f"{str(value)[:50]!r} is no alert id such as the view reporting.alert lists") from None
