"""Inventories of Windows in several languages: the build, the display adapters, and the driver of Intel's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parsers.strategies import hard
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.pasted.readers.collected import Text
from xpu_doctor.pasted.readers.windows_adapters import INTEL, adapters
from xpu_doctor.pasted.snapshots import read

A770 = "PCI\\VEN_8086&DEV_56A0&SUBSYS_10208086&REV_08\\6&1A2B"
UHD = "PCI\\VEN_8086&DEV_4680&SUBSYS_86941043&REV_0C\\3&11583659"
RTX = "PCI\\VEN_10DE&DEV_2504&SUBSYS_88251043&REV_A1\\4&2E5"

SYSTEMINFO = {
    "English": "OS Name:                   Microsoft Windows 11 Pro\nOS Version:                10.0.22631 N/A Build 22631\n",
    "German": "Betriebssystemname:            Microsoft Windows 11 Pro\nBetriebssystemversion:         10.0.22631 Nicht zutreffend Build 22631\n",
    "French": "Nom du système d’exploitation:              Microsoft Windows 11 Famille\nVersion du système:                         10.0.22631 N/A build 22631\n",
    "Spanish": "Nombre del sistema operativo:              Microsoft Windows 11 Pro\nVersión del sistema operativo:             10.0.22631 N/D Compilación 22631\n",
    "Italian": "Nome SO:                       Microsoft Windows 11 Pro\nVersione SO:                   10.0.22631 N/D build 22631\n",
    "Portuguese": "Nome do sistema operacional:               Microsoft Windows 11 Pro\nVersão do sistema operacional:             10.0.22631 N/A compilação 22631\n",
    "Chinese": "OS 名称:          Microsoft Windows 11 专业版\nOS 版本:          10.0.22631 暂缺 Build 22631\n",
    "Japanese": "OS 名:                  Microsoft Windows 11 Pro\nOS バージョン:          10.0.22631 N/A ビルド 22631\n",
    "Russian": "Название ОС:                   Майкрософт Windows 11 Pro\nВерсия ОС:                     10.0.22631 Н/Д построение 22631\n",
}
MSINFO = {
    "English": ("Name", "PNP Device ID", "Adapter Description", "Driver Version"),
    "German": ("Name", "PNP-Gerätekennung", "Adapterbeschreibung", "Treiberversion"),
    "French": ("Nom", "ID de périphérique PNP", "Description de la carte", "Version du pilote"),
    "Spanish": ("Nombre", "Id. de dispositivo PNP", "Descripción de adaptador", "Versión del controlador"),
    "Italian": ("Nome", "ID periferica PNP", "Descrizione scheda", "Versione driver"),
    "Portuguese": ("Nome", "ID de dispositivo PNP", "Descrição do adaptador", "Versão do driver"),
    "Chinese": ("名称", "PNP 设备 ID", "适配器描述", "驱动程序版本"),
    "Japanese": ("名前", "PNP デバイス ID", "アダプターの説明", "ドライバー バージョン"),
    "Russian": ("Имя", "Код устройства PNP", "Описание адаптера", "Версия драйвера"),
}


def one(text: str) -> Snapshot:
    (snapshot,) = read([Text(text)])
    return snapshot


def msinfo(language: str, *rows: tuple[str, str, str]) -> str:
    """What msinfo32 exports of display adapters, given as name, id and version."""
    name, identity, description, version = MSINFO[language]
    return "\n".join(
        f"{name}\t{called}\n{identity}\t{of}\n{description}\t{called}\n{version}\t{number}\n"
        for called, of, number in rows
    )


@pytest.mark.parametrize("language", SYSTEMINFO)
def test_the_build_of_windows(language: str) -> None:
    snapshot = one(SYSTEMINFO[language] + "torch.xpu.is_available() -> False\n")
    assert snapshot.machine.os == "windows"
    assert snapshot.machine.os_name == "Windows 11 (build 22631)"


@pytest.mark.parametrize("language", MSINFO)
def test_the_driver_is_that_of_intels_card(language: str) -> None:
    """NVIDIA's driver and that of the processor's graphics stand before it."""
    text = msinfo(
        language,
        ("NVIDIA GeForce RTX 3060", RTX, "32.0.15.6094"),
        ("Intel(R) UHD Graphics 770", UHD, "31.0.101.5590"),
        ("Intel(R) Arc(TM) A770 Graphics", A770, "32.0.101.6130"),
    )
    snapshot = one(text)
    assert snapshot.pasted.windows_driver == "32.0.101.6130"
    assert snapshot.pasted.inventory_lists_intel is True
    assert snapshot.machine.os == "windows"
    assert {gpu.device_id: gpu.driver_version for gpu in snapshot.gpus} == {
        0x4680: "31.0.101.5590",
        0x56A0: "32.0.101.6130",
    }  # type: ignore[union-attr]


@pytest.mark.parametrize("language", MSINFO)
def test_an_inventory_without_intel(language: str) -> None:
    snapshot = one(
        msinfo(language, ("NVIDIA GeForce RTX 3060", RTX, "32.0.15.6094")) + "torch.xpu.is_available() -> False\n"
    )
    assert snapshot.pasted.inventory_lists_intel is False
    assert isinstance(snapshot.pasted.windows_driver, Unknown)


DXDIAG = """\
  Operating System: Windows 11 Pro 64-bit (10.0, Build 26100) (26100.ge_release.240331-1435)
         Processor: 12th Gen Intel(R) Core(TM) i5-12400 (12 CPUs), ~2.5GHz

---------------
Display Devices
---------------
           Card name: NVIDIA GeForce RTX 3060
        Manufacturer: NVIDIA
          Device Key: Enum\\PCI\\VEN_10DE&DEV_2504&SUBSYS_88251043&REV_A1
 Driver File Version: 32.00.0015.6094 (English)
      Driver Version: 32.0.15.6094

           Card name: Intel(R) Arc(TM) A770 Graphics
        Manufacturer: Intel Corporation
          Device Key: Enum\\PCI\\VEN_8086&DEV_56A0&SUBSYS_10208086&REV_08
 Driver File Version: 32.00.0101.6130 (English)
      Driver Version: 32.0.101.6130
"""


def test_dxdiag() -> None:
    snapshot = one(DXDIAG)
    assert snapshot.machine.os_name == "Windows 11 (build 26100)"
    assert snapshot.pasted.windows_driver == "32.0.101.6130"
    assert [adapter.vendor for adapter in adapters(Text(DXDIAG))].count(INTEL) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Name                           DriverVersion\n----                           -------------\nNVIDIA GeForce RTX 3060        32.0.15.6094\nIntel(R) Arc(TM) A770 Graphics 32.0.101.6130\n",
        "Caption       : NVIDIA GeForce RTX 3060\nDriverVersion : 32.0.15.6094\nPNPDeviceID   : PCI\\VEN_10DE&DEV_2504&SUBSYS_1\n\nCaption       : Intel(R) Arc(TM) A770 Graphics\nDriverVersion : 32.0.101.6130\nPNPDeviceID   : PCI\\VEN_8086&DEV_56A0&SUBSYS_1\n",
        "> Beschreibung: Intel(R) Arc(TM) A770 Graphics\n> C:\\Windows\\System32\\DriverStore\\igdumdim64.dll\n> Treiberversion: 32.0.101.6130\n",
    ],
)
def test_other_listings(text: str) -> None:
    assert one(text).pasted.windows_driver == "32.0.101.6130"


@pytest.mark.parametrize(
    "text",
    [
        "Name\tIntel(R) Wi-Fi 6E AX211 160MHz\nPNP-Gerätekennung\tPCI\\VEN_8086&DEV_7AF0&SUBSYS_00948086\nTreiberversion\t22.150.0.3\n",
        "Name\tIntel(R) Ethernet Controller I225-V\nPNP Device ID\tPCI\\VEN_8086&DEV_15F3&SUBSYS_1\nDriver Version\t1.1.4.42\n",
        "NVIDIA's driver 32.0.15.6094 is installed as well",
        "Intel Graphics drivers from 32.0.101.6130 on work",
    ],
)
def test_what_is_no_display_adapter_of_an_inventory(text: str) -> None:
    assert list(adapters(Text(text))) == []


def test_a_driver_of_nvidias_is_none_of_intels() -> None:
    """It has the same form."""
    snapshot = one(
        "Windows 11, RTX 3060 with driver 32.0.15.6094 beside my Arc A770. torch.xpu.is_available() is False"
    )
    assert isinstance(snapshot.pasted.windows_driver, Unknown)


LINES = st.sampled_from(
    [
        line
        for text in (
            DXDIAG,
            *SYSTEMINFO.values(),
            msinfo("French", ("Intel(R) Arc(TM) A770 Graphics", A770, "32.0.101.6130")),
        )
        for line in text.split("\n")
    ]
)


@hard
@given(st.lists(LINES, max_size=30))
def test_any_order_of_lines_is_read(lines: list[str]) -> None:
    """Nothing is raised, and no version of another maker's driver becomes Intel's."""
    snapshot = one("\n".join(lines))
    assert snapshot.failures == ()
    assert snapshot.pasted.windows_driver != "32.0.15.6094"
