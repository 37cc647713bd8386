"""Makes the Python stubs from the contract: python make_stubs.py PROTO_FOLDER

Only partner.proto and the two files that it imports are read; nothing else of Fenghuo is used.
"""

import pathlib
import sys

import grpc_tools
from grpc_tools import protoc

CONTRACT = ["fenghuo/common/v1/common.proto", "fenghuo/partner/v1/partner.proto"]


def main(proto_folder: str) -> int:
    out = pathlib.Path(__file__).parent / "province" / "generated"
    out.mkdir(exist_ok=True)
    well_known = str(pathlib.Path(grpc_tools.__file__).parent / "_proto")
    arguments = ["protoc", f"-I{proto_folder}", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}"]
    return protoc.main(arguments + CONTRACT)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
