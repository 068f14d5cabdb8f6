import { topicNameCharactersMax } from "./limits.ts";

/** Why Kafka would refuse the name; undefined when it is fine. */
export function topicNameFault(name: string): string | undefined {
  if (name.length === 0) {
    return "Topic name is invalid: it is empty.";
  }
  if (name === "." || name === "..") {
    return `Topic name is invalid: '.' and '..' are no names.`;
  }
  if (name.length > topicNameCharactersMax) {
    return `Topic name is invalid: it is longer than ${topicNameCharactersMax} characters.`;
  }
  return /^[A-Za-z0-9._-]+$/.test(name)
    ? undefined
    : "Topic name is invalid: it may have letters, digits, '.', '_' and '-' only.";
}

/** Names that are equal in this form would be one name in Kafka's metrics, so the second one is refused. */
export function collisionForm(name: string): string {
  return name.replaceAll(".", "_");
}

export function canCollide(name: string): boolean {
  return name.includes(".") || name.includes("_");
}
