import { useState } from 'react';
import { go } from '../app/route';
import { useI18n } from '../i18n';
import { useKeys } from '../keys/keys';
import { Button } from '../ui/Button';
import { EnrolForm } from './EnrolForm';
import { LetterPartnerForm } from './LetterPartnerForm';
import { OwnBundle } from './OwnBundle';
import { PartnerTable } from './PartnerTable';

/** Partner provinces: the links, and how a new one is enrolled. */
export function PartnersPage() {
  const { t } = useI18n();
  const [open, setOpen] = useState<'enrol' | 'letter' | null>(null);
  useKeys([
    { key: 'e', label: 'partner.enrol', run: () => setOpen('enrol') },
    { key: 'w', label: 'partner.addLetter', run: () => setOpen('letter') },
    { key: 'Escape', label: 'key.back', run: () => go({ page: 'desk' }) },
  ]);
  return (
    <main className="page" data-testid="partners-page">
      <header className="row spread">
        <h1>{t('nav.partners')}</h1>
        <span className="row">
          <Button label={t('partner.enrol')} hint="e" testId="enrol-open" onClick={() => setOpen('enrol')} />
          <Button label={t('partner.addLetter')} hint="w" testId="letter-open" onClick={() => setOpen('letter')} />
        </span>
      </header>
      {open === 'enrol' && <EnrolForm onClose={() => setOpen(null)} />}
      {open === 'letter' && <LetterPartnerForm onClose={() => setOpen(null)} />}
      <PartnerTable />
      <OwnBundle />
    </main>
  );
}
