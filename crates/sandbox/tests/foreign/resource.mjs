// A resource server as the README of jose writes it: a remote key set, issuer and audience.
import { createRemoteJWKSet, jwtVerify } from "jose";
import { answer, serve } from "./serve.mjs";

const issuer = process.env.ISSUER;
const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`), { cooldownDuration: 900, cacheMaxAge: 900 });
const expect = { issuer, audience: process.env.AUDIENCE, typ: "at+jwt", algorithms: ["ES256"] };

serve(async (request, response) => {
  const url = new URL(request.url, "https://localhost");
  if (request.method !== "GET" || url.pathname !== "/orders") return answer(response, 404);
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  if (scheme?.toLowerCase() !== "bearer" || !token) return answer(response, 401, { error: "invalid_token" });
  try {
    const { payload } = await jwtVerify(token, keys, expect);
    return answer(response, 200, { orders: [], for: payload.sub });
  } catch {
    return answer(response, 401, { error: "invalid_token" });
  }
});
