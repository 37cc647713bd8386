import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { PlaceSchema } from '../gen/proto/fenghuo/common/v1/common_pb';
import { NotificationSchema, type Notification } from '../gen/proto/fenghuo/partner/v1/partner_pb';
import { badNumber, numberIn } from '../logic/facts';
import { draftOfSubstance, substanceOf, substanceReadable, type SubstanceDraft } from '../logic/substances';
import { dateTime, ms, stamp } from '../logic/time';
import type { TypedTime } from '../ui/TimeField';

/** A notification as it stands in the editor. */
export interface NotificationDraft {
  kind: number;
  subject: string;
  situation: string;
  occurred: TypedTime;
  learned: TypedTime;
  substances: SubstanceDraft[];
  sectionSender: string;
  sectionRecipient: string;
  flow: string;
  measures: string;
  asked: string;
  nextUpdate: TypedTime;
  telephone: string;
  grade: number;
  boundary: number;
}

const typed = (value: number | undefined): TypedTime =>
  value === undefined ? { text: '', ms: null } : { text: dateTime(value), ms: value };

export function draftOfNotification(n: Notification): NotificationDraft {
  return {
    kind: n.kind,
    subject: n.subject,
    situation: n.situation,
    occurred: typed(ms(n.occurTime)),
    learned: typed(ms(n.learnTime)),
    substances: n.substances.map(draftOfSubstance),
    sectionSender: n.sectionSenderName,
    sectionRecipient: n.sectionRecipientName,
    flow: n.flowM3PerS === undefined ? '' : String(n.flowM3PerS),
    measures: n.measuresTaken,
    asked: n.requestedAction,
    nextUpdate: typed(ms(n.nextUpdateTime)),
    telephone: n.dutyTelephone,
    grade: n.grade,
    boundary: n.boundaryEffect,
  };
}

export const notificationReadable = (d: NotificationDraft): boolean =>
  !badNumber(d.flow) &&
  d.substances.every(substanceReadable) &&
  [d.occurred, d.learned, d.nextUpdate].every((t) => t.text.trim() === '' || t.ms !== null);

/** The whole content as it should be; what the editor does not show stays as it is in `base`. */
export function notificationOf(d: NotificationDraft, base: Notification): MessageInitShape<typeof NotificationSchema> {
  const flow = numberIn(d.flow);
  const [occurTime, learnTime, nextUpdateTime] = [d.occurred, d.learned, d.nextUpdate].map((t) => stamp(t.ms));
  return {
    kind: d.kind,
    subject: d.subject,
    situation: d.situation,
    ...(base.place ? { place: create(PlaceSchema, base.place) } : {}),
    ...(occurTime ? { occurTime } : {}),
    ...(learnTime ? { learnTime } : {}),
    substances: d.substances.filter((s) => s.name.trim() !== '').map(substanceOf),
    sectionSenderName: d.sectionSender,
    sectionRecipientName: d.sectionRecipient,
    ...(flow === undefined ? {} : { flowM3PerS: flow }),
    measuresTaken: d.measures,
    requestedAction: d.asked,
    ...(nextUpdateTime ? { nextUpdateTime } : {}),
    dutyTelephone: d.telephone,
    grade: d.grade,
    boundaryEffect: d.boundary,
    follows: base.follows,
    corrects: base.corrects,
    revokes: base.revokes,
    ends: base.ends,
  };
}
