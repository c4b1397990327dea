import type { AccessRule } from '#backend/access/access-review.ts';
import { MOST_AUDIENCES } from '#backend/access/gate.ts';
import type { HiddenEnd } from '#backend/access/visibility.ts';
import type { SameSite } from '#backend/auth/sessions.ts';
import type { AuthMode } from '#backend/auth/sign-in.ts';
import { type Cidr, parseCidr } from '#core/ip/cidr.ts';
import { parseAddress } from '#runtime/address.ts';
import {
  address,
  count,
  duration,
  InvalidValueError,
  listOf,
  oneOf,
  type Parser,
  path,
  text,
} from '#runtime/settings/parsers.ts';
import { type Setting, setting } from '#runtime/settings/setting.ts';
import type { KubernetesFlags } from './cluster-source-settings.ts';
import { webAddress } from './export-settings.ts';

export interface AccessFlags extends KubernetesFlags {
  auth: AuthMode;
  allowAnonymous?: boolean;
  access: 'kubernetes' | 'all';
  accessRule: AccessRule;
  accessCluster?: string;
  hiddenEnds: HiddenEnd;
  audiences: number;
  tokenAudiences: string[];
  oidcIssuer?: URL;
  oidcClientId?: string;
  oidcClientSecretFile?: string;
  oidcScopes: string[];
  oidcUserClaim: string;
  oidcGroupsClaim: string;
  oidcUserPrefix: string;
  oidcGroupsPrefix: string;
  oidcSignOut: 'provider' | 'waggle';
  proxyUserHeader: string;
  proxyGroupsHeader: string;
  sessionKeyFile?: string;
  sessionLength: number;
  sessionSameSite: SameSite;
  replicas: string[];
  auditLog?: string;
  basePath: string;
  trustedProxies: Cidr[];
}

/** How people sign in, and what they see. */
export function accessSettings(): Setting<never>[] {
  return [
    setting<string>({
      flags: '--auth <mode>',
      description:
        'how people sign in: none (only on loopback), token (of the cluster), oidc (an OpenID provider), or proxy (headers of a proxy in front)',
      parser: oneOf('none', 'token', 'oidc', 'proxy'),
      default: 'none',
    }),
    setting<boolean>({
      flags: '--allow-anonymous',
      description: 'without --auth, serve other machines too: whoever reaches the addresses sees everything',
    }),
    setting<string>({
      flags: '--access <kind>',
      description:
        'what those who signed in see: the namespaces in which the Kubernetes API allows --access-rule, or all',
      parser: oneOf('kubernetes', 'all'),
      default: 'kubernetes',
    }),
    setting<AccessRule>({
      flags: '--access-rule <rule>',
      description: 'verb and resource that somebody must be allowed in a namespace to see its flows',
      parser: accessRule,
      default: { verb: 'get', group: '', resource: 'pods' },
      defaultText: 'get pods',
    }),
    setting<string>({
      flags: '--access-cluster <name>',
      description: "cluster whose namespaces these are (default: the first node's); those of others stay hidden",
      parser: text,
    }),
    setting<string>({
      flags: '--hidden-ends <how>',
      description:
        'what is told of the other end of a flow when it may not be seen: its namespace, or that it is hidden',
      parser: oneOf('namespace', 'hidden'),
      default: 'namespace',
    }),
    setting<number>({
      flags: '--audiences <count>',
      description:
        'different sets of namespaces that people may look at at the same time: each has a window of its own, of 4 MiB and with work for every flow',
      parser: count(1, 1_000),
      default: MOST_AUDIENCES,
    }),
    setting<string[]>({
      flags: '--token-audiences <names>',
      description: "audiences of which a token must be of one (default: the API server's own)",
      parser: listOf(text),
      default: [],
      defaultText: 'none',
    }),
    setting<URL>({ flags: '--oidc-issuer <url>', description: 'the OpenID provider', parser: webAddress }),
    setting<string>({ flags: '--oidc-client-id <id>', description: 'by which it knows Waggle', parser: text }),
    setting<string>({
      flags: '--oidc-client-secret-file <file>',
      description: 'file with the secret of that client (default: a public client)',
      parser: path,
    }),
    setting<string[]>({
      flags: '--oidc-scopes <names>',
      description: 'what the provider is asked to tell',
      parser: listOf(text),
      default: ['openid', 'email', 'groups'],
      defaultText: 'openid,email,groups',
    }),
    setting<string>({
      flags: '--oidc-user-claim <name>',
      description: 'claim with the name of the person, as the cluster knows them',
      parser: text,
      default: 'email',
    }),
    setting<string>({
      flags: '--oidc-groups-claim <name>',
      description: 'claim with the names of their groups',
      parser: text,
      default: 'groups',
    }),
    setting<string>({
      flags: '--oidc-user-prefix <text>',
      description: "what the cluster puts before users' names, as its API server's --oidc-username-prefix",
      default: '',
      defaultText: 'none',
    }),
    setting<string>({
      flags: '--oidc-groups-prefix <text>',
      description: "what it puts before groups' names",
      default: '',
      defaultText: 'none',
    }),
    setting<string>({
      flags: '--oidc-sign-out <where>',
      description:
        "where somebody ends their session who signs out: at the provider too, where it has an address for that and knows this page's login?out as one to come back to, or of waggle alone",
      parser: oneOf('provider', 'waggle'),
      default: 'provider',
    }),
    setting<string>({
      flags: '--proxy-user-header <name>',
      description: 'header in which a trusted proxy says who somebody is',
      parser: headerName,
      default: 'X-Forwarded-User',
    }),
    setting<string>({
      flags: '--proxy-groups-header <name>',
      description: 'header with the names of their groups, with commas between them',
      parser: headerName,
      default: 'X-Forwarded-Groups',
    }),
    setting<string>({
      flags: '--session-key-file <file>',
      description:
        'keys that seal sessions, one a line, the first seals and all open; the same for every replica (default: one made up at the start)',
      parser: path,
    }),
    setting<number>({
      flags: '--session-length <duration>',
      description: 'how long somebody stays signed in',
      parser: duration(60_000, 30 * 24 * 3_600_000),
      default: 8 * 3_600_000,
      defaultText: '8h',
    }),
    setting<string>({
      flags: '--session-same-site <policy>',
      description: 'the cookie in frames: lax for portals of the same site, none for others (needs HTTPS)',
      parser: oneOf('lax', 'none'),
      default: 'lax',
    }),
    setting<string[]>({
      flags: '--replicas <addresses>',
      description:
        'pages of the replicas of this backend, as host:port, where whoever signs out here is signed out too; a name stands for all its addresses. Needs --session-key-file',
      parser: listOf(tcpAddress),
      default: [],
      defaultText: 'none',
    }),
    setting<string>({
      flags: '--audit-log <file>',
      description: 'file to which each session and each failed attempt is written as a line of JSON (default: the log)',
      parser: path,
    }),
    setting<string>({
      flags: '--base-path <path>',
      description: 'path under which the page is served; a trusted proxy may say another with X-Forwarded-Prefix',
      parser: basePath,
      default: '/',
    }),
    setting<Cidr[]>({
      flags: '--trusted-proxies <ranges>',
      description: 'addresses of proxies whose X-Forwarded headers are believed',
      parser: listOf(range),
      default: [],
      defaultText: 'none',
    }),
  ];
}

const accessRule: Parser<AccessRule> = (value) => {
  const match = /^([a-z]{1,30}) ([a-z]{1,60})(?:\.([a-z0-9.-]{1,200}))?$/.exec(value.trim());
  if (match === null)
    throw new InvalidValueError('a verb and a resource such as "get pods" or "list flows.waggle.dev"');
  return { verb: match[1]!, resource: match[2]!, group: match[3] ?? '' };
};

const tcpAddress: Parser<string> = (value) => {
  if (parseAddress(address(value))?.kind !== 'tcp') throw new InvalidValueError('host:port');
  return value;
};

const headerName: Parser<string> = (value) => {
  if (!/^[A-Za-z0-9-]{1,100}$/.test(value)) throw new InvalidValueError('the name of a header');
  return value;
};

const basePath: Parser<string> = (value) => {
  if (!/^(?:\/[\w.~-]{1,100}){0,10}\/?$/.test(value)) throw new InvalidValueError('a path such as /waggle');
  return value.endsWith('/') ? value : `${value}/`;
};

const range: Parser<Cidr> = (value) => {
  const cidr = parseCidr(value);
  if (cidr === undefined) throw new InvalidValueError('addresses or ranges such as 10.0.0.0/8');
  return cidr;
};
