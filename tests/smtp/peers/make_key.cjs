// Makes a key as the arguments say (`rsa 1024`, `ec P-521`), and prints both halves of it as JSON, in DER and base64.
const { generateKeyPairSync } = require('node:crypto');

const [kind, size] = process.argv.slice(2);
const { privateKey, publicKey } = generateKeyPairSync(kind, {
  modulusLength: Number(size),
  namedCurve: size,
  privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  publicKeyEncoding: { type: 'spki', format: 'der' },
});
console.log(JSON.stringify({ private: privateKey.toString('base64'), public: publicKey.toString('base64') }));
