import { REDACTED } from './redaction.ts';

// Each begins where a word begins, so that a text is read once however it is made.

/** Tokens whose makers gave them a form of their own, wherever they stand. */
const TOKENS = [
  // JSON Web Tokens.
  /(?<![\w-])eyJ[\w-]{5,}\.[\w.-]+/g,
  // GitHub, GitLab, Slack, Stripe, AWS, Google, npm, Vault, DigitalOcean, SendGrid, Shopify, OpenAI, Anthropic.
  /(?<![\w-])(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|[sr]k_live_|AKIA|ASIA|AIza|ya29\.|npm_|hvs\.|dop_v1_|SG\.|shpat_|sk-(?:proj|ant|svcacct)-)[\w.-]{16,}/g,
  // Bots of Telegram.
  /(?<![\w-])(?:bot)?\d{6,12}:[\w-]{30,}/g,
];

/** Tokens that are known by what stands before them: webhooks of Slack and Discord, Kubernetes' over WebSocket. */
const FOLLOWING = [
  /(\/services\/T\w{5,20}\/B\w{5,20}\/)\w{10,}/g,
  /(\/api\/webhooks\/\d{1,20}\/)[\w-]{30,}/g,
  /(bearer\.authorization\.k8s\.io\.)[\w-]+/g,
];

/** What tells most texts that have none, at little cost. */
const SHORTEST = 10;
const LONG_WORD = /[\w-]{10}/;

/** Text without tokens that are known by their form. */
export function redactTokens(text: string): string {
  if (text.length < SHORTEST || !LONG_WORD.test(text)) return text;
  let told = text;
  for (const form of TOKENS) told = told.replace(form, REDACTED);
  for (const form of FOLLOWING) told = told.replace(form, `$1${REDACTED}`);
  return told;
}
