// A client as the README of openid-client writes it: discovery, PKCE, state, and the callback.
import { randomBytes } from "node:crypto";
import * as client from "openid-client";
import { answer, serve } from "./serve.mjs";

const origin = process.env.ORIGIN;
const redirect = `${origin}/callback`;
const sessions = new Map();

function cookie(request) {
  const found = /(?:^|; )sid=([0-9a-f]+)/.exec(request.headers.cookie ?? "");
  return found?.[1];
}

serve(async (request, response) => {
  const url = new URL(request.url, origin);
  if (url.pathname === "/login") {
    let config;
    try {
      config = await client.discovery(
        new URL(url.searchParams.get("issuer")),
        "foreign-client",
        {},
        client.ClientSecretPost("not-a-secret-but-a-test"),
        { algorithm: "oauth2" },
      );
    } catch {
      return answer(response, 502, { error: "discovery" });
    }
    const verifier = client.randomPKCECodeVerifier();
    const state = client.randomState();
    const sid = randomBytes(16).toString("hex");
    if (sessions.size > 1000) sessions.clear();
    sessions.set(sid, { config, verifier, state });
    const to = client.buildAuthorizationUrl(config, {
      redirect_uri: redirect,
      scope: "openid",
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
    });
    response.writeHead(302, {
      location: to.href,
      "set-cookie": `sid=${sid}; Path=/; HttpOnly; Secure; SameSite=Lax`,
    });
    return response.end();
  }
  if (url.pathname === "/callback") {
    const session = sessions.get(cookie(request));
    if (!session) return answer(response, 400, { error: "no session" });
    sessions.delete(cookie(request));
    try {
      await client.authorizationCodeGrant(session.config, url, {
        pkceCodeVerifier: session.verifier,
        expectedState: session.state,
      });
    } catch {
      return answer(response, 400, { error: "not signed in" });
    }
    return answer(response, 200, { signed_in: true });
  }
  return answer(response, 404);
});
