// Connects to the port with TLS that takes whatever OpenSSL can still do, and prints what was agreed on.
const tls = require('node:tls');

const socket = tls.connect({
  host: '127.0.0.1',
  port: Number(process.argv[2]),
  ciphers: 'ALL:@SECLEVEL=0',
  minVersion: 'TLSv1.1',
  rejectUnauthorized: false,
});
socket.on('secureConnect', () => {
  const { asn1Curve, bits, modulus } = socket.getPeerCertificate();
  const key = modulus ? `RSA ${bits}` : asn1Curve;
  console.log(JSON.stringify({ version: socket.getProtocol(), cipher: socket.getCipher().name, key }));
  socket.destroy();
});
