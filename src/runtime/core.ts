/**
 * The part of @actions/core that the runtime needs, in a module of its own: all of core brings an HTTP client along
 * (for OIDC), which costs more to load than everything else of a start, so the build takes this file's share alone.
 */
export { saveState, setOutput, summary } from '@actions/core';
