import { create } from '@bufbuild/protobuf';
import { GrantSchema, Role, type Grant } from '../gen/proto/fenghuo/identity/v1/identity_pb';
import type { I18n, MessageKey } from '../i18n';
import { fullName } from '../logic/districts';
import { dateTime, ms, stamp } from '../logic/time';
import { noTime, timeAt, type TypedTime } from '../ui/TimeField';

/** A grant as it stands in a form. */
export interface GrantDraft {
  role: number;
  jurisdiction: string;
  from: TypedTime;
  until: TypedTime;
}

export const ROLES = [Role.VIEWER, Role.DUTY_OFFICER, Role.COMMANDER, Role.LIAISON, Role.ADMINISTRATOR];

export const emptyGrant = (province: string, nowMs: number): GrantDraft => ({
  role: Role.DUTY_OFFICER,
  jurisdiction: province,
  from: timeAt(nowMs),
  until: noTime,
});

export function draftOfGrant(g: Grant): GrantDraft {
  const typed = (value: number | undefined): TypedTime => (value === undefined ? noTime : { text: dateTime(value), ms: value });
  return { role: g.role, jurisdiction: g.jurisdiction, from: typed(ms(g.startTime)), until: typed(ms(g.endTime)) };
}

export function grantOf(d: GrantDraft): Grant {
  const startTime = stamp(d.from.ms);
  const endTime = stamp(d.until.ms);
  return create(GrantSchema, {
    role: d.role,
    jurisdiction: d.jurisdiction,
    ...(startTime ? { startTime } : {}),
    ...(endTime ? { endTime } : {}),
  });
}

export function grantText(g: Grant, t: I18n['t'], lang: I18n['lang']): string {
  const params = {
    role: t(`role.${g.role}` as MessageKey),
    place: fullName(g.jurisdiction, lang),
    until: ms(g.endTime) === undefined ? '' : dateTime(ms(g.endTime) ?? 0),
  };
  return g.endTime ? t('people.grantUntil', params) : t('people.grant', params);
}
