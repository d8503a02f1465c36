// oidc-provider as it comes, with two clients, an API that accepts its tokens, a person for every name, and its own login pages.
import { Provider } from "oidc-provider";
import { answer, serve } from "./serve.mjs";

const clients = ["first", "second"].map((name) => ({
  client_id: name,
  client_secret: process.env.CLIENT_SECRET + name,
  redirect_uris: [`https://client.foreign.example/${name}/callback`],
  grant_types: ["authorization_code", "refresh_token", "client_credentials"],
  response_types: ["code"],
  scope: "openid offline_access",
  token_endpoint_auth_method: "client_secret_basic",
}));
const provider = new Provider(process.env.ORIGIN, {
  clients,
  scopes: ["openid", "offline_access", "profile"],
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    devInteractions: { enabled: true },
  },
  ttl: {
    AccessToken: 600,
    AuthorizationCode: 2,
    ClientCredentials: 600,
    PushedAuthorizationRequest: 2,
    RefreshToken: 3600,
  },
  cookies: { keys: [process.env.CLIENT_SECRET] },
});
provider.proxy = true;
const callback = provider.callback();
serve(async (request, response) => {
  if (new URL(request.url, "https://localhost").pathname === "/api") {
    const token = (request.headers.authorization ?? "").replace(/^Bearer /i, "");
    const found =
      (await provider.AccessToken.find(token)) ?? (await provider.ClientCredentials.find(token));
    return answer(response, found?.isValid ? 200 : 401, {});
  }
  request.headers["x-forwarded-proto"] = "https";
  return callback(request, response);
});
