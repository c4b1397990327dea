/**
 * Prints what of npm's is in the folder's node_modules, as CycloneDX: `node deploy/sbom.mjs [folder] > sbom.cdx.json`. Of what is there,
 * not of the lock file: `npm sbom --omit=dev` leaves out what a development dependency wants as well, and lists other platforms' binaries.
 * The same content gives the same list.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2] ?? '.';
const read = (path) => JSON.parse(readFileSync(join(folder, path), 'utf8'));
const own = read('package.json');
const { packages } = read('node_modules/.package-lock.json');

/** `node_modules/a/node_modules/@b/c` → `@b/c` */
const nameOf = (path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
const purlOf = (name, version) => `pkg:npm/${name.replace('@', '%40')}@${version}`;

function licenses(license) {
  if (typeof license !== 'string') return undefined;
  if (/^[A-Za-z0-9.+-]+$/.test(license)) return [{ license: { id: license } }];
  return /^[-A-Za-z0-9.+() ]+$/.test(license) && / (OR|AND|WITH) /.test(license)
    ? [{ expression: license.replace(/^\((.*)\)$/, '$1') }]
    : [{ license: { name: license } }];
}

function component([path, { version, license, integrity }]) {
  const name = nameOf(path);
  const [algorithm, hash] = integrity?.split('-') ?? [];
  const purl = purlOf(name, version);
  return {
    type: 'library',
    'bom-ref': path,
    name,
    version,
    purl,
    ...(algorithm === 'sha512' && {
      hashes: [{ alg: 'SHA-512', content: Buffer.from(hash, 'base64').toString('hex') }],
    }),
    ...(licenses(license) && { licenses: licenses(license) }),
  };
}

const there = Object.entries(packages).filter(([path]) => existsSync(join(folder, path, 'package.json')));
const bom = {
  $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  version: 1,
  metadata: {
    component: {
      type: 'application',
      'bom-ref': own.name,
      name: own.name,
      version: own.version,
      purl: purlOf(own.name, own.version),
      ...(licenses(own.license) && { licenses: licenses(own.license) }),
    },
  },
  components: there.map(component),
};
console.log(JSON.stringify(bom, null, 2));
