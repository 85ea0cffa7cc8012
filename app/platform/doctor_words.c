/* What the links of the chain and their remedies are called. */
#include "app/platform/doctor.h"

const struct doctor_words doctor_links[DOCTOR_LINKS] = {
#define X(id, name, en, zh) { name, en, zh },
    DOCTOR_LINK_MAP(X)
#undef X
};

const struct doctor_words doctor_remedies[DOCTOR_REMEDIES] = {
#define X(id, name, en, zh) { name, en, zh },
    DOCTOR_REMEDY_MAP(X)
#undef X
};
