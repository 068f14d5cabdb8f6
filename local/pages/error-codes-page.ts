import { kafkaErrors } from "../../shared/kafka/error-codes.ts";
import { renderTable } from "./page-table.ts";

/** docs/error-codes.md, made from the table of error codes. */
export function renderErrorCodesPage(): string {
  return `# Error codes

Names and numbers are those of the Kafka protocol up to 4.3. *Retriable: yes* means that clients repeat the request by
themselves, perhaps after fresh metadata.

Made by \`npm run docs\` from \`shared/kafka/error-codes.ts\`; a test fails when this page is stale.

${renderTable(
  ["code", "name", "retriable", "meaning"],
  kafkaErrors.map(({ code, name, retriable, message }) => [
    `${code}`,
    `\`${name}\``,
    retriable ? "yes" : "no",
    message,
  ]),
)}`;
}
