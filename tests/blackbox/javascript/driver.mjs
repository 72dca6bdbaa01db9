// The AWS SDK for JavaScript, driven from outside: one call a line on standard input as JSON
// {"operation", "arguments", "paginate"}, one answer a line on standard output: {"answer"} or {"error", "message"};
// for a paginator {"pages"}.

import { createInterface } from "node:readline";
import * as sfn from "@aws-sdk/client-sfn";

const client = new sfn.SFNClient({
  endpoint: process.argv[2],
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  disableHostPrefix: true,
  maxAttempts: 1,
});

async function perform({ operation, arguments: input, paginate }) {
  if (paginate) {
    const pages = [];
    for await (const page of sfn[`paginate${operation}`]({ client, pageSize: paginate }, input)) {
      pages.push(page);
    }
    return { pages };
  }
  const { $metadata, ...answer } = await client.send(new sfn[`${operation}Command`](input));
  return { answer };
}

for await (const line of createInterface({ input: process.stdin })) {
  let result;
  try {
    result = await perform(JSON.parse(line));
  } catch (error) {
    result = { error: error.name, message: error.message };
  }
  process.stdout.write(JSON.stringify(result) + "\n");
}
