"""Starts aiosmtpd as the first line of stdin says, tells on stdout what happens, and ends when stdin does."""

import asyncio
import json
import logging
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult


def tell(**event):
    print(json.dumps(event), flush=True)


async def main():
    logging.disable()
    warnings.simplefilter("ignore")
    options = json.loads(sys.stdin.readline())
    clear = options["security"] == "starttls"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options["certificate"], options["key"])

    def authenticate(server, session, envelope, mechanism, login):
        given = [login.login.decode(), login.password.decode()]
        accepted = options["login"] in (None, given)
        tell(event="auth", mechanism=mechanism, username=given[0], secure=session.ssl is not None or not clear)
        return AuthResult(success=accepted, handled=False)

    def session():
        return SMTP(
            object(),
            hostname="localhost",
            tls_context=context if clear else None,
            require_starttls=clear,
            authenticator=authenticate,
            auth_required=True,
            auth_require_tls=clear,
            auth_exclude_mechanism={"PLAIN", "LOGIN"} - set(options["mechanisms"]),
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=None if clear else context)
    tell(event="listening", port=server.sockets[0].getsockname()[1])
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
