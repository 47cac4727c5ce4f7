// Starts smtp-server as the first line of stdin says, tells on stdout what happens, and ends when stdin does.
const fs = require('node:fs');
const readline = require('node:readline');
const { SMTPServer } = require('smtp-server');

const tell = event => console.log(JSON.stringify(event));

const start = options => {
  const implicit = options.security === 'tls';
  const secured = new Set();
  const command = entry => {
    if (entry.tnx === 'command') {
      tell({ event: 'command', verb: entry.command, secure: implicit || secured.has(entry.cid) });
    }
  };
  const nothing = () => {};
  const odd = options.odd && {
    ...options.odd.tls,
    key: fs.readFileSync(options.odd.key),
    cert: fs.readFileSync(options.odd.certificate),
  };
  const server = new SMTPServer({
    secure: implicit,
    key: fs.readFileSync(options.key),
    cert: fs.readFileSync(options.certificate),
    ...(options.odd?.after === 0 ? odd : {}),
    authMethods: options.mechanisms,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    logger: { trace: nothing, debug: command, info: nothing, warn: nothing, error: nothing, fatal: nothing },
    onSecure(socket, session, callback) {
      secured.add(session.id);
      if (options.odd?.after === secured.size) {
        server.updateSecureContext(odd);
      }
      callback();
    },
    onAuth(auth, session, callback) {
      tell({ event: 'auth', mechanism: auth.method, username: auth.username, secure: session.secure });
      const accepted =
        !options.login || (auth.username === options.login[0] && auth.password === options.login[1]);
      callback(null, accepted ? { user: auth.username } : {});
    },
  });
  server.on('error', nothing);
  server.listen(0, '127.0.0.1', () => tell({ event: 'listening', port: server.server.address().port }));
};

readline
  .createInterface({ input: process.stdin })
  .once('line', line => start(JSON.parse(line)))
  .once('close', () => process.exit());
