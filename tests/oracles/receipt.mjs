// Verifies a receipt as a stranger would: by its key set, with a library that knows nothing of Sayso. JSON in, JSON out.
import { compactVerify, createLocalJWKSet, calculateJwkThumbprint, EmbeddedJWK } from "jose";

let input = "";
for await (const chunk of process.stdin) input += chunk;
const { receipts, jwks } = JSON.parse(input);
const keys = createLocalJWKSet(jwks);
const told = [];
for (const receipt of receipts) {
  try {
    const options = { algorithms: ["Ed25519"] };
    const { payload, protectedHeader } = await compactVerify(receipt, keys, options);
    await compactVerify(receipt, EmbeddedJWK, options);
    const thumbprint = await calculateJwkThumbprint(protectedHeader.jwk);
    const claims = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    told.push({ jti: claims.jti, thumbprint, kid: protectedHeader.kid, type: claims.receipt["@type"] });
  } catch (error) {
    told.push({ refused: error.code ?? error.name });
  }
}
process.stdout.write(JSON.stringify(told));
