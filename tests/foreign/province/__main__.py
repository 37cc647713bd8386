"""A province on the command line: python -m province --help"""

import argparse
import json
import pathlib
import signal
import sys
import threading

from . import bundle
from .keys import Keys
from .ledger import Ledger
from .mailbox import Mailbox
from .network import Client, Server

EXAMPLES = """examples:
  python -m province --folder hunan --code 430000 bundle --name 湖南省 --endpoint https://127.0.0.1:7440 > hunan.json
  python -m province --folder hunan --code 430000 enrol chongqing.json --fingerprint "1a2b 3c4d ..."
  python -m province --folder hunan --code 430000 serve --listen 127.0.0.1:7440
  python -m province --folder hunan --code 430000 list
  python -m province --folder hunan --code 430000 acknowledge provinces/500000/notifications/... --person 李明 --post "湖南省生态环境厅 值班员"
  python -m province --folder hunan --code 430000 pull 500000
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m province", epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="keys and the ledger")
    parser.add_argument("--code", required=True, help="six-digit code of this province")
    commands = parser.add_subparsers(dest="command", required=True)
    told = commands.add_parser("bundle", help="print this province's bundle; its fingerprint goes to standard error")
    told.add_argument("--name", required=True)
    told.add_argument("--endpoint", default="", help="https://host:port; empty if nobody can call us")
    told.add_argument("--telephone", default="0731-12369")
    enrol = commands.add_parser("enrol", help="take up a partner's bundle")
    enrol.add_argument("file", type=pathlib.Path)
    enrol.add_argument("--fingerprint", required=True, help="as compared by telephone")
    serve = commands.add_parser("serve", help="be called by partners, until a signal")
    serve.add_argument("--listen", default="127.0.0.1:0")
    commands.add_parser("list", help="notifications that came in, one JSON object a line")
    acknowledge = commands.add_parser("acknowledge", help="a person answers for a notification")
    acknowledge.add_argument("notification")
    acknowledge.add_argument("--person", required=True)
    acknowledge.add_argument("--post", required=True)
    pull = commands.add_parser("pull", help="fetch what a partner has for us and return the receipts")
    pull.add_argument("partner")
    return parser.parse_args()


def main(given: argparse.Namespace) -> str | None:
    keys = Keys(given.folder / "keys", given.code)
    ledger = Ledger(given.folder / "ledger.sqlite3")
    mailbox = Mailbox(keys, ledger)
    return COMMANDS[given.command](mailbox, given)


def print_bundle(mailbox: Mailbox, given) -> None:
    own = bundle.own(mailbox.keys, given.name, given.endpoint, given.telephone)
    print(bundle.to_json(own))
    print(bundle.fingerprint(own), file=sys.stderr)


def enrol(mailbox: Mailbox, given) -> str | None:
    partner = bundle.from_json(given.file.read_text())
    plain = "".join(given.fingerprint.split()).replace("-", "").lower()
    if plain != bundle.fingerprint(partner).replace(" ", ""):
        return "the fingerprint is not that of this bundle; compare it once more by telephone"
    key = partner.signing_key
    with mailbox.ledger as ledger:
        ledger.rows("INSERT OR REPLACE INTO partner VALUES (?, ?, ?)", partner.province_code, partner.ca_certificate_der, partner.endpoint)
        ledger.rows("INSERT OR REPLACE INTO signing_key VALUES (?, ?, ?, '', 0, 0)", partner.province_code, key.key_id, key.public_key)
    return None


def serve(mailbox: Mailbox, given) -> None:
    server, port = Server(mailbox).start(given.listen)
    print(json.dumps({"event": "ready", "port": port}), flush=True)
    over = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: over.set())
    over.wait()
    server.stop(grace=2).wait()


def show(mailbox: Mailbox, _given) -> None:
    for name, partner, subject, acknowledged in mailbox.ledger.rows("SELECT name, partner, subject, acknowledged FROM notification ORDER BY rowid"):
        told = {"name": name, "partner": partner, "subject": subject, "acknowledged": bool(acknowledged)}
        print(json.dumps(told, ensure_ascii=False))


def acknowledge(mailbox: Mailbox, given) -> str | None:
    from fenghuo.partner.v1 import partner_pb2 as pb

    found = mailbox.ledger.rows("SELECT partner, space, acknowledged FROM notification WHERE name = ?", given.notification)
    if not found:
        return f"{given.notification} has not come in"
    (partner, space, done), = found
    if not done:
        answer = pb.Acknowledgement(notification=given.notification, person=given.person, post=given.post)
        answer.acknowledge_time.GetCurrentTime()
        with mailbox.ledger as ledger:  # both or neither
            mailbox.write(partner, space, acknowledgement=answer)
            ledger.rows("UPDATE notification SET acknowledged = 1 WHERE name = ?", given.notification)
    with Client(mailbox, partner) as client:
        client.open(space)
        print(json.dumps({"receipts": client.push(space)}))
    return None


def pull(mailbox: Mailbox, given) -> None:
    with Client(mailbox, given.partner) as client:
        print(json.dumps({"envelopes": client.pull()}))


COMMANDS = {"bundle": print_bundle, "enrol": enrol, "serve": serve, "list": show, "acknowledge": acknowledge, "pull": pull}

if __name__ == "__main__":
    sys.exit(main(arguments()))
