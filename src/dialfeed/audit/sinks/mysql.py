"""MariaDB and MySQL as a sink."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from dialfeed.audit.sinks.addresses import SinkAddress
from dialfeed.audit.sinks.base import Later, Refused
from dialfeed.errors import FixSettings
from dialfeed.optional import check_installed, needed

_EXTRA: Final = {"extra": "sql", "purpose": "send the audit trail to MariaDB or MySQL"}
_LOCK: Final = "dialfeed.schema"
_NO_TABLE: Final = 1146
_REFUSED_VALUES: Final = frozenset({1048, 1264, 1292, 1366, 1367, 1406, 3140, 4025})
"""Null, out of range, wrong datetime, wrong string, wrong value, too long, invalid JSON text (MySQL, MariaDB)."""
_REFUSED_USERS: Final = frozenset({1044, 1045, 1049, 1142, 1143, 1227, 1698})


class MysqlServer:
    """A MariaDB or MySQL database (`dialfeed.audit.sinks.sql.Server`).

    Args:
        address: Where it is.
        password: If it wants one.
        timeout: Seconds for one step of the conversation.

    Raises:
        FixSettings: PyMySQL is not installed, or a certificate is not there.
    """

    words: Final = {
        "json": "JSON",
        "text": "MEDIUMTEXT",
        "time": "DATETIME(3)",
        "options": " ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        "value": "%s",
    }

    def __init__(self, address: SinkAddress, password: str | None, timeout: float) -> None:
        check_installed("pymysql", **_EXTRA)
        for option in ("ssl_ca", "ssl_cert", "ssl_key"):
            if option in address.options and not Path(address.options[option]).is_file():
                raise FixSettings(
                    f"There is no file for {option} of the sink {address.name!r}.", advice="Name a PEM file."
                )
        self._timeout = timeout
        safe = {"ssl_verify_cert": True, "ssl_verify_identity": True} if "ssl_ca" in address.options else {}
        self._options: dict[str, Any] = {
            "host": address.host or "localhost",
            "port": address.port,
            "user": address.user,
            "password": password or "",
            "database": address.path,
            "connect_timeout": max(1, round(timeout)),
            "read_timeout": timeout,
            "write_timeout": timeout,
            **safe,
            **address.options,
        }

    def connect(self) -> Any:
        """A connection (see `Server.connect`), in a session that changes no value silently and speaks UTC."""
        return needed("pymysql", **_EXTRA).connect(
            **self._options,
            charset="utf8mb4",
            init_command="SET SESSION sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00'",
        )

    def lock(self, cursor: Any) -> None:
        """Until `unlock`, or the end of the connection: what makes tables ends transactions."""
        cursor.execute("SELECT GET_LOCK(%s, %s)", (_LOCK, int(self._timeout)))
        if cursor.fetchone()[0] != 1:
            raise TimeoutError

    def unlock(self, cursor: Any) -> None:
        """See `lock`."""
        cursor.execute("SELECT RELEASE_LOCK(%s)", (_LOCK,))
        cursor.fetchone()

    def upsert(self, table: str, keys: Sequence[str], columns: Sequence[str]) -> str:
        """See `Server.upsert`."""
        names, marks = ", ".join([*keys, *columns]), ", ".join(["%s"] * (len(keys) + len(columns)))
        changes = ", ".join(f"{column} = VALUES({column})" for column in columns)
        return (
            f"INSERT INTO {table} ({names}) VALUES ({marks}) "  # noqa: S608 - names of this program's tables
            f"ON DUPLICATE KEY UPDATE {changes}"
        )

    def judge(self, error: Exception) -> Later | Refused | None:
        """By the server's number: values that no column takes are refused, everything else may be mended."""
        if isinstance(error, OSError):
            return Later("the database cannot be reached")
        if not isinstance(error, needed("pymysql", **_EXTRA).Error):
            return None
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        if code in _REFUSED_VALUES:
            return Refused(f"the database does not take its values (error {code})")
        if code in _REFUSED_USERS:
            return Later(f"the database refuses the sign-in or the right (error {code})")
        return Later(f"the database cannot be reached or cannot take it now (error {code})")

    def lacks_tables(self, error: Exception) -> bool:
        """By the server's number."""
        return bool(error.args) and error.args[0] == _NO_TABLE
