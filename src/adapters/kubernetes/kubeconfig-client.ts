/**
 * The part of the official client that is used: kubeconfigs and their ways of authentication. In a module of its own,
 * because the package brings a generated class for every kind along (19 MB), which nothing here needs.
 */
export { KubeConfig } from '@kubernetes/client-node/dist/config.js';
