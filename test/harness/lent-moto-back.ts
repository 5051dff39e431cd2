export { tearDown as default } from './lent-moto.ts';
