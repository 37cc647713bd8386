import { useEffect, useState } from 'react';
import { useCall } from '../api/useCall';
import type { GetOwnBundleResponse } from '../gen/proto/fenghuo/notification/v1/notification_service_pb';
import { useI18n } from '../i18n';
import { useDesk } from '../live/context';
import { Button } from '../ui/Button';
import { ProblemBox } from '../ui/Problem';
import { Section } from '../ui/Section';

/** This province's bundle, to be given to a partner, and the fingerprint to read out by telephone. */
export function OwnBundle() {
  const { t } = useI18n();
  const { clients, node } = useDesk();
  const call = useCall();
  const [bundle, setBundle] = useState<GetOwnBundleResponse | null>(null);
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    void call.run(() => clients.partners.getOwnBundle({})).then((b) => b && setBundle(b));
  }, [clients]);

  const save = () => {
    if (!bundle) return;
    const url = URL.createObjectURL(new Blob([bundle.bundleJson], { type: 'application/json' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = `${node.provinceCode}.fenghuo-bundle.json`;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <Section title={t('bundle.title')} testId="own-bundle">
      <ProblemBox problem={call.problem} />
      {bundle && (
        <>
          <p>{t('bundle.how')}</p>
          <p className="fingerprint mono" data-testid="own-fingerprint">
            {bundle.fingerprint}
          </p>
          <p className="row">
            <Button label={t('bundle.save')} testId="bundle-save" onClick={save} />
            <Button
              label={copied ? t('common.copied') : t('common.copy')}
              tone="quiet"
              testId="bundle-copy"
              onClick={() => void navigator.clipboard?.writeText(bundle.bundleJson).then(() => setCopied(true))}
            />
          </p>
          <details className="why">
            <summary>{t('bundle.show')}</summary>
            <pre className="mono proof" data-testid="own-bundle-json">
              {bundle.bundleJson}
            </pre>
          </details>
        </>
      )}
    </Section>
  );
}
