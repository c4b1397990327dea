import tailwind from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where `vite dev` finds a running backend. */
const backend = process.env.WAGGLE_DEV_BACKEND ?? 'http://127.0.0.1:12000';

export default defineConfig({
  // Assets are found relative to the page, so that it can be served under any path.
  base: './',
  publicDir: 'web/public',
  plugins: [react(), tailwind()],
  build: {
    outDir: 'dist/web',
    emptyOutDir: true,
    manifest: true,
    target: 'es2024',
    // The content security policy allows no inline content: every asset is a file, and there is no preload polyfill.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: 'es' },
  server: { host: '127.0.0.1', proxy: { '/api': { target: backend, changeOrigin: true } } },
});
