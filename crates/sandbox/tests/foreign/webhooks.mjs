// A receiver as the library's README writes it: verify, then act. `standardwebhooks` or `svix`.
import { answer, body, serve } from "./serve.mjs";

const { Webhook } = await import(process.env.LIBRARY);
const webhook = new Webhook(process.env.SECRET);
const effects = [];

serve(async (request, response) => {
  const url = new URL(request.url, "https://localhost");
  if (request.method === "POST" && url.pathname === "/hooks") {
    const payload = (await body(request)).toString("utf8");
    try {
      webhook.verify(payload, request.headers);
    } catch {
      return answer(response, 400, { error: "not verified" });
    }
    effects.push({
      time: new Date().toISOString(),
      id: request.headers["webhook-id"],
      effect: "noted",
    });
    return answer(response, 204);
  }
  if (request.method === "GET" && url.pathname === "/effects") {
    if (request.headers.authorization !== `Bearer ${process.env.API_TOKEN}`) return answer(response, 401);
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    return response.end(effects.slice(-1000).map((it) => JSON.stringify(it) + "\n").join(""));
  }
  return answer(response, 404);
});
