import type { BackupStore } from '../../ports/backup-store.ts';
import type { SessionRequest, SessionTools } from '../aws/session.ts';

export interface BackupPlace {
  readonly location: string;
  readonly key: string;
  readonly aws: SessionRequest;
}

export async function openBackups(
  { location, key, aws }: BackupPlace,
  tools: SessionTools & { readonly run: SessionTools['run'] & { readonly workspace: string } },
  signal: AbortSignal,
): Promise<BackupStore> {
  if (!location.startsWith('s3://')) {
    const { backupFolder } = await import('./backup-folder.ts');
    return backupFolder(location, tools.run.workspace, key);
  }
  const [{ awsSession }, { backupBucket }] = await Promise.all([import('../aws/session.ts'), import('./backup-s3.ts')]);
  return backupBucket(location, await awsSession(aws, tools, signal), key);
}
