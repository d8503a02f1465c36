// oidc-provider with registration and its management, introspection and revocation, and one client that introspects.
import { readFileSync } from "node:fs";
import https from "node:https";
import { Provider } from "oidc-provider";

const has = (word) => (process.env.TRAITS ?? "").split(" ").includes(word);
const scopes = ["openid", "offline_access", "tickets:read", "tickets:write"];
const resource = "https://api.example.com";

let callback;
const server = https.createServer(
  { cert: readFileSync(process.env.CERTIFICATE), key: readFileSync(process.env.KEY) },
  (request, response) => callback(request, response),
);
server.listen(0, "127.0.0.1", () => {
  const port = server.address().port;
  const provider = new Provider(`https://localhost:${port}`, {
    clients: [
      {
        client_id: "countersign-reader",
        client_secret: process.env.READER_SECRET,
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
      },
    ],
    scopes,
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: async () => true },
      registration: { enabled: true, initialAccessToken: process.env.INITIAL_ACCESS_TOKEN },
      registrationManagement: { enabled: true, rotateRegistrationAccessToken: has("rotates") },
      resourceIndicators: {
        enabled: has("signs"),
        defaultResource: async () => resource,
        getResourceServerInfo: async () => ({
          accessTokenFormat: "jwt",
          audience: resource,
          scope: scopes.join(" "),
        }),
      },
      revocation: { enabled: true },
    },
    ttl: { AccessToken: 600, ClientCredentials: 600 },
    cookies: { keys: [process.env.READER_SECRET] },
  });
  callback = provider.callback();
  console.log(`listening ${port}`);
});
// Whoever started it holds its input open: when that ends, so does the server.
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
