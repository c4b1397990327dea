import { readFileSync } from 'node:fs';
import type { ClientSecurity } from '#runtime/grpc/tls.ts';
import { listOf, path, text } from '#runtime/settings/parsers.ts';
import { type Setting, setting } from '#runtime/settings/setting.ts';
import { CommandError, MISUSE } from './failure.ts';

/** How a command that asks a server secures its connection; flags as those of `hubble`. */
export interface ClientTlsFlags {
  tls?: boolean;
  tlsCaCertFiles?: string[];
  tlsClientCertFile?: string;
  tlsClientKeyFile?: string;
  tlsServerName?: string;
  tokenFile?: string;
}

/** @param prefix of the flags, for commands that have several servers: `hubble-` */
export function clientTlsSettings(prefix = ''): Setting<never>[] {
  return [
    setting<boolean>({
      flags: `--${prefix}tls`,
      description: 'connect with TLS',
      default: false,
    }),
    setting<string[]>({
      flags: `--${prefix}tls-ca-cert-files <files>`,
      description: 'PEM files with the authorities that the server is trusted by (default: those of the system)',
      parser: listOf(path),
    }),
    setting<string>({
      flags: `--${prefix}tls-client-cert-file <file>`,
      description: 'PEM file with the certificate shown to the server, for mutual TLS',
      parser: path,
    }),
    setting<string>({
      flags: `--${prefix}tls-client-key-file <file>`,
      description: 'PEM file with its private key',
      parser: path,
    }),
    setting<string>({
      flags: `--${prefix}tls-server-name <name>`,
      description:
        prefix === 'agent-'
          ? "name that an agent's certificate must carry, * for its node: *.kind.hubble-grpc.cilium.io"
          : "name that the server's certificate must carry, where it is not the address'",
      parser: text,
    }),
    ...(prefix === '' ? [tokenSetting] : []),
  ];
}

const tokenSetting = setting<string>({
  flags: '--token-file <file>',
  description: 'file with a token of the cluster that is shown to a server where people have to sign in',
  parser: path,
});

/** Undefined where neither TLS nor a token is asked for. Throws CommandError and TlsError. */
export async function clientSecurityOf(flags: ClientTlsFlags): Promise<ClientSecurity | undefined> {
  const { tokenFile } = flags;
  const security = await tlsSecurityOf(flags);
  if (tokenFile === undefined) return security;
  // Read once to say at once what is wrong with it, and again with every call.
  tokenOf(tokenFile);
  return { ...security, token: () => tokenOf(tokenFile) };
}

function tokenOf(file: string): string {
  let token: string;
  try {
    token = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CommandError(`the token ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  if (!/^[\x21-\x7e]+$/.test(token)) throw new CommandError(`the token ${file} is not one line of text`);
  return token;
}

async function tlsSecurityOf(flags: ClientTlsFlags): Promise<ClientSecurity | undefined> {
  const { tls = false, tlsCaCertFiles, tlsClientCertFile, tlsClientKeyFile, tlsServerName } = flags;
  if (!tls) {
    if (tlsCaCertFiles ?? tlsClientCertFile ?? tlsClientKeyFile ?? tlsServerName) {
      throw new CommandError('TLS is set up and not switched on: add the flag that ends in -tls', MISUSE);
    }
    return undefined;
  }
  if ((tlsClientCertFile === undefined) !== (tlsClientKeyFile === undefined)) {
    throw new CommandError('a client certificate and its key belong together: name both files', MISUSE);
  }
  const { clientSecurity } = await import('#runtime/grpc/tls.ts');
  const files = { certificate: tlsClientCertFile, key: tlsClientKeyFile, authorities: tlsCaCertFiles };
  return clientSecurity(files, tlsServerName);
}

/** How a server secures its gRPC address. */
export interface ServerTlsFlags {
  tlsCertFile?: string;
  tlsKeyFile?: string;
  tlsClientCaFiles?: string[];
}

export function serverTlsSettings(): Setting<never>[] {
  return [
    setting<string>({
      flags: '--tls-cert-file <file>',
      description: 'PEM file with the certificate of the gRPC address; read again as it changes',
      parser: path,
    }),
    setting<string>({ flags: '--tls-key-file <file>', description: 'PEM file with its private key', parser: path }),
    setting<string[]>({
      flags: '--tls-client-ca-files <files>',
      description: 'PEM files with authorities: clients must show a certificate of theirs (mutual TLS)',
      parser: listOf(path),
    }),
  ];
}

/** Undefined where TLS is not asked for. Throws CommandError and TlsError. */
export async function serverCredentialsOf({ tlsCertFile, tlsKeyFile, tlsClientCaFiles }: ServerTlsFlags) {
  if (tlsCertFile === undefined || tlsKeyFile === undefined) {
    if (tlsCertFile ?? tlsKeyFile ?? tlsClientCaFiles) {
      throw new CommandError('TLS needs both --tls-cert-file and --tls-key-file', MISUSE);
    }
    return undefined;
  }
  const { serverCredentials } = await import('#runtime/grpc/tls.ts');
  return serverCredentials({ certificate: tlsCertFile, key: tlsKeyFile, authorities: tlsClientCaFiles });
}
