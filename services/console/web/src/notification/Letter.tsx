import { useState } from 'react';
import type { NotificationRecord } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { useI18n } from '../i18n';
import { Button } from '../ui/Button';

/** The letter to a province without a node: its number and its text, to be copied or printed. */
export function Letter({ record }: { record: NotificationRecord }) {
  const { t } = useI18n();
  const [copied, setCopied] = useState(false);
  const copy = () => void navigator.clipboard?.writeText(record.letterText).then(() => setCopied(true));
  return (
    <section className="letter" data-testid="letter">
      <p className="row spread">
        <strong data-testid="letter-number">{record.letterNumber}</strong>
        <span className="row">
          <Button label={copied ? t('common.copied') : t('common.copy')} tone="quiet" testId="letter-copy" onClick={copy} />
          <Button label={t('common.print')} tone="quiet" testId="letter-print" onClick={() => window.print()} />
        </span>
      </p>
      <pre>{record.letterText}</pre>
    </section>
  );
}
