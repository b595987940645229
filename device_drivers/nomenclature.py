"""Coded identifiers: IEEE 11073 MDC terms, UCUM units and the LOINC codes they map to.

Sources: ISO/IEEE 11073-10101 (MDC), as used by the HL7 Personal Health Device implementation guide 2.0;
UCUM; LOINC 2.82. The numbers are the 32-bit codes (partition * 65536 + term).
"""

from enum import IntEnum, StrEnum


class Unit(StrEnum):
    """UCUM codes, exactly as UCUM writes them (``mm[Hg]``, never ``mmHg``)."""

    MG_DL = "mg/dL"
    MMOL_L = "mmol/L"
    MM_HG = "mm[Hg]"
    KPA = "kPa"
    PER_MIN = "/min"


class Mdc(IntEnum):
    """What was measured."""

    PRESS_BLD_NONINV_SYS = 150021
    PRESS_BLD_NONINV_DIA = 150022
    PRESS_BLD_NONINV_MEAN = 150023
    PULS_RATE_NON_INV = 149546
    CONC_GLU_CAPILLARY_WHOLEBLOOD = 160184
    CONC_GLU_CAPILLARY_PLASMA = 160188
    CONC_GLU_VENOUS_WHOLEBLOOD = 160192
    CONC_GLU_VENOUS_PLASMA = 160196
    CONC_GLU_ARTERIAL_WHOLEBLOOD = 160200
    CONC_GLU_ARTERIAL_PLASMA = 160204
    CONC_GLU_CONTROL = 160208
    CONC_GLU_UNDETERMINED_WHOLEBLOOD = 160364
    CONC_GLU_UNDETERMINED_PLASMA = 160368
    # 11073-10101 has a term for ketones in urine only; this is a private term (0xF001) of partition 2.
    PRIVATE_CONC_KETONE_CAPILLARY_WHOLEBLOOD = 192513


# A glucose value maps to a LOINC code by the unit that the meter reported (standards: HL7 PHD IG, gematik HDDT).
GLUCOSE_LOINC: dict[Unit, str] = {Unit.MG_DL: "41653-7", Unit.MMOL_L: "14743-9"}
BLOOD_PRESSURE_LOINC: dict[Mdc, str] = {
    Mdc.PRESS_BLD_NONINV_SYS: "8480-6",
    Mdc.PRESS_BLD_NONINV_DIA: "8462-4",
    Mdc.PRESS_BLD_NONINV_MEAN: "8478-0",
    Mdc.PULS_RATE_NON_INV: "8867-4",
}
